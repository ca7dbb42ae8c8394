import CJSONScan

/// Reads single values straight from the text of an element that was validated before, without white space around it.
package enum JSONScalar {
    /// nil unless it is a number that is integral in whatever spelling (`3`, `3.0`, `1e3`) and fits Int.
    package static func integer(_ text: UnsafeRawBufferPointer) -> Int? {
        let text = Text(text)
        var value: Int64 = 0
        return jsonscan_read_integer(text.start, text.count, &value) ? Int(value) : nil
    }

    /// Rounded to nearest; nil unless it is a number that fits a finite value.
    package static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        let bytes = Text(text)
        var value = 0.0
        switch jsonscan_read_double(bytes.start, bytes.count, &value) {
        case .JSONSCAN_NUMBER_READ: return value
        case .JSONSCAN_NOT_A_NUMBER: return nil
        case .JSONSCAN_NUMBER_BEYOND_RANGE:
            // Too small becomes zero, too large infinite.
            return Double(String(decoding: text, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
        }
    }

    package static func boolean(_ text: UnsafeRawBufferPointer) -> Bool? {
        switch text.first {
        case UInt8(ascii: "t"): true
        case UInt8(ascii: "f"): false
        default: nil
        }
    }

    /// Its characters, escapes replaced; nil unless it is a string.
    package static func string(_ text: UnsafeRawBufferPointer) -> String? {
        guard text.count >= 2, text.first == UInt8(ascii: "\"") else { return nil }
        let inside = UnsafeRawBufferPointer(rebasing: text.dropFirst().dropLast())
        if jsonscan_plain_prefix(Text(inside).start, inside.count) == inside.count {
            return String(decoding: inside, as: UTF8.self)
        }
        let bytes = Text(text)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count) { buffer -> String? in
            guard let out = buffer.baseAddress else { return nil }
            let length = jsonscan_unescape(bytes.start, bytes.count, out)
            return length < 0 ? nil : String(decoding: buffer[..<length], as: UTF8.self)
        }
    }
}
