/// A Universally Unique Lexicographically Sortable Identifier: 48 bits of Unix milliseconds, then 80 random bits, written as
/// 26 characters of Crockford's base 32. Source: github.com/ulid/spec.
package struct ULID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Strict: exactly 26 characters, upper or lower case, no I, L, O or U, and not above 128 bits.
    package init?(_ text: some StringProtocol) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var length = 0
        for byte in text.utf8 {
            guard let digit = ULID.value(of: byte) else { return nil }
            length += 1
            if length == 1 && digit > 7 { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(digit)
        }
        guard length == 26 else { return nil }
        self.init(high: high, low: low)
    }

    package var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends its 26 characters.
    package func append(to bytes: inout [UInt8]) {
        let digits = ULID.digits
        bytes.append(addingCapacity: 26) { room in
            for shift in stride(from: 61, through: 1, by: -5) {
                room.append(digits[Int(truncatingIfNeeded: high >> shift) & 31])
            }
            room.append(digits[Int(truncatingIfNeeded: high << 4 | low >> 60) & 31])
            for shift in stride(from: 55, through: 0, by: -5) {
                room.append(digits[Int(truncatingIfNeeded: low >> shift) & 31])
            }
        }
    }

    /// When it was made, in milliseconds since 1970.
    package var milliseconds: UInt64 { high >> 16 }

    package static func < (left: ULID, right: ULID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    private static let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    private static func value(of byte: UInt8) -> UInt8? {
        let upper = byte >= 0x61 && byte <= 0x7A ? byte - 0x20 : byte
        switch upper {
        case 0x30...0x39: return upper - 0x30
        case 0x41...0x48: return upper - 0x41 + 10
        case 0x4A...0x4B: return upper - 0x4A + 18
        case 0x4D...0x4E: return upper - 0x4D + 20
        case 0x50...0x54: return upper - 0x50 + 22
        case 0x56...0x5A: return upper - 0x56 + 27
        default: return nil
        }
    }
}

/// Makes ULIDs that rise strictly, also within a millisecond and when the wall clock steps back.
package struct ULIDGenerator: Sendable {
    private var last = ULID(high: 0, low: 0)

    package init() {}

    /// - Parameter milliseconds: the wall clock, Unix milliseconds.
    package mutating func next(
        milliseconds: UInt64, using random: inout some RandomNumberGenerator
    ) -> ULID {
        if milliseconds > last.milliseconds {
            last = ULID(high: milliseconds << 16 | random.next() & 0xFFFF, low: random.next())
        } else {
            let (low, overflow) = last.low.addingReportingOverflow(1)
            last = ULID(high: overflow ? last.high + 1 : last.high, low: low)
        }
        return last
    }
}
