import CJSONScan

/// How much JSON is taken.
package enum JSONLimits {
    /// How deep arrays and objects may nest.
    package static let depth = 512
}

/// The validated text of exactly one JSON value, without white space around it.
package struct JSON: Sendable, Hashable {
    package let bytes: [UInt8]

    /// Checks every byte: syntax, UTF-8, depth, the range of numbers, and that nothing follows. White space around the value is dropped.
    package init(validating bytes: [UInt8], maximumDepth: Int = JSONLimits.depth) throws(JSONSyntaxError) {
        try JSON.validate(bytes, maximumDepth: maximumDepth)
        self.init(trimming: bytes)
    }

    /// Drops the white space around text that was validated before.
    init(trimming bytes: [UInt8]) {
        let isSpace = { (byte: UInt8) in byte <= 0x20 }
        if let first = bytes.first, let last = bytes.last, isSpace(first) || isSpace(last) {
            let trimmed = bytes.drop(while: isSpace)
            self.bytes = Array(trimmed[..<((trimmed.lastIndex { !isSpace($0) } ?? trimmed.endIndex - 1) + 1)])
        } else {
            self.bytes = bytes
        }
    }

    /// Takes bytes that were validated before: from the store, or from our own writer.
    package init(trusted bytes: [UInt8]) { self.bytes = bytes }

    package static let null = JSON(trusted: Array("null".utf8))

    package var value: JSONValue { JSONValue(document: bytes, range: bytes.indices) }

    /// Throws unless the bytes are exactly one JSON value, with white space around it at most.
    package static func validate(
        _ bytes: UnsafeRawBufferPointer, maximumDepth: Int = JSONLimits.depth
    ) throws(JSONSyntaxError) {
        let text = Text(bytes)
        if let error = JSONSyntaxError(jsonscan_validate(text.start, text.count, max(0, maximumDepth))) { throw error }
    }

    /// The same for an array.
    package static func validate(
        _ bytes: [UInt8], maximumDepth: Int = JSONLimits.depth
    ) throws(JSONSyntaxError) {
        let verdict = bytes.withUnsafeBytes { jsonscan_validate(Text($0).start, $0.count, max(0, maximumDepth)) }
        if let error = JSONSyntaxError(verdict) { throw error }
    }
}
