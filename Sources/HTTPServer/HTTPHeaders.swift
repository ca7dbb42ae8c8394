import Glibc

/// A request's header fields in their order. They are kept as they came, in one piece, and read when somebody asks.
package struct HTTPHeaders: Sendable {
    /// For each field: name, NUL, blanks, value, NUL, NUL. This is how libmicrohttpd leaves a head behind, so it takes one copy.
    private let block: [UInt8]

    /// - Parameter block: has the layout above; the names are tokens and the values hold no NUL.
    init(block: [UInt8]) {
        self.block = block
    }

    package init(_ fields: [(name: String, value: String)]) {
        var block: [UInt8] = []
        for field in fields {
            precondition(!field.name.utf8.contains(0) && !field.value.utf8.contains(0), "a header field holds no NUL")
            block.append(contentsOf: field.name.utf8)
            block.append(0)
            block.append(contentsOf: field.value.utf8)
            block.append(contentsOf: [0, 0])
        }
        self.block = block
    }

    /// The value of the first field of that name, in any case; blanks around it are not part of it.
    package func first(_ name: StaticString) -> String? {
        var found: String?
        forEach { field, value in
            guard Self.isSame(field, name) else { return true }
            found = String(decoding: value, as: UTF8.self)
            return false
        }
        return found
    }

    /// Whether the first field of that name has exactly this value. Makes no string.
    package func isFirst(_ name: StaticString, _ value: StaticString) -> Bool {
        var isSame = false
        forEach { field, found in
            guard Self.isSame(field, name) else { return true }
            isSame = found.elementsEqual(UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
            return false
        }
        return isSame
    }

    /// The values of all fields of that name, in order.
    package func all(_ name: StaticString) -> [String] {
        var found: [String] = []
        forEach { field, value in
            if Self.isSame(field, name) { found.append(String(decoding: value, as: UTF8.self)) }
            return true
        }
        return found
    }

    package var fields: [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        forEach { field, value in
            found.append((String(decoding: field, as: UTF8.self), String(decoding: value, as: UTF8.self)))
            return true
        }
        return found
    }

    /// Stops when `body` answers false.
    private func forEach(
        _ body: (_ name: Slice<UnsafeBufferPointer<UInt8>>, _ value: Slice<UnsafeBufferPointer<UInt8>>) -> Bool
    ) {
        block.withUnsafeBufferPointer { bytes in
            var start = 0
            while start < bytes.count {
                let nameEnd = Self.endOfText(in: bytes, from: start)
                var valueStart = min(nameEnd + 1, bytes.count)
                let end = Self.endOfText(in: bytes, from: valueStart)
                var valueEnd = end
                while valueStart < valueEnd, Self.isBlank(bytes[valueStart]) { valueStart += 1 }
                while valueEnd > valueStart, Self.isBlank(bytes[valueEnd - 1]) { valueEnd -= 1 }
                guard body(bytes[start..<nameEnd], bytes[valueStart..<valueEnd]) else { return }
                start = end + 2
            }
        }
    }

    /// Where the NUL is, or the end of the bytes.
    private static func endOfText(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        guard let base = bytes.baseAddress, start < bytes.count,
            let end = memchr(base + start, 0, bytes.count - start)
        else { return bytes.count }
        return UnsafeRawPointer(end) - UnsafeRawPointer(base)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func isSame(_ field: Slice<UnsafeBufferPointer<UInt8>>, _ name: StaticString) -> Bool {
        guard field.count == name.utf8CodeUnitCount else { return false }
        let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        return zip(field, name).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
