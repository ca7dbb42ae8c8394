/// Bytes from another process that cannot be what that process was meant to send.
package struct ProtocolViolation: Error, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Puts fixed-width little-endian fields one behind the other.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(reserving capacity: Int = 64) { bytes.reserveCapacity(capacity) }

    mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ value: Double) { put(value.bitPattern) }

    mutating func put(bytes new: some Collection<UInt8>) { bytes.append(contentsOf: new) }

    /// The length as four bytes, then the text.
    mutating func put(text: String) {
        var text = text
        text.withUTF8 {
            put(UInt32($0.count))
            bytes.append(contentsOf: $0)
        }
    }

    mutating func overwrite(_ value: UInt32, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<(offset + 4), with: $0) }
    }
}

/// Takes fields from bytes that are not trusted: nothing is read behind the end.
struct ByteReader {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }
    /// Bytes that are left.
    var count: Int { rest.count }

    mutating func take(_ count: Int) throws(ProtocolViolation) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= rest.count else { throw ProtocolViolation("a message ends before its content") }
        defer { rest = rest.dropFirst(count) }
        return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    }

    mutating func takeRest() -> UnsafeRawBufferPointer {
        defer { rest = rest.dropFirst(rest.count) }
        return UnsafeRawBufferPointer(rebasing: rest)
    }

    mutating func take<Value: FixedWidthInteger>(_: Value.Type) throws(ProtocolViolation) -> Value {
        Value(littleEndian: try take(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
    }

    /// A count or size, which has to fit `limit`.
    mutating func count(limit: Int) throws(ProtocolViolation) -> Int {
        let value = Int(try take(UInt32.self))
        guard value <= limit else { throw ProtocolViolation("a length of \(value) is over the limit of \(limit)") }
        return value
    }

    mutating func double() throws(ProtocolViolation) -> Double { Double(bitPattern: try take(UInt64.self)) }

    /// Seconds, 0 or more.
    mutating func duration() throws(ProtocolViolation) -> Double {
        let seconds = try double()
        guard seconds.isFinite, seconds >= 0 else { throw ProtocolViolation("a duration of \(seconds)") }
        return seconds
    }

    mutating func text(limit: Int) throws(ProtocolViolation) -> String {
        let bytes = try take(try count(limit: limit))
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ProtocolViolation("a text is not UTF-8")
        }
        return text
    }

    func expectEnd() throws(ProtocolViolation) {
        guard isAtEnd else { throw ProtocolViolation("a message is longer than its content") }
    }
}

/// Decodes all of a message.
func decodeWhole<Result>(
    _ bytes: [UInt8], _ body: (inout ByteReader) throws(ProtocolViolation) -> Result
) throws(ProtocolViolation) -> Result {
    try bytes.span.withUnsafeBytes { (raw) throws(ProtocolViolation) in
        var reader = ByteReader(raw)
        let result = try body(&reader)
        try reader.expectEnd()
        return result
    }
}

/// The longest beginning of whole characters that takes at most so many bytes.
func clipped(_ text: String, toBytes limit: Int) -> String {
    if text.utf8.count <= limit { return text }
    var end = text.utf8.index(text.utf8.startIndex, offsetBy: limit)
    while end.samePosition(in: text) == nil { end = text.utf8.index(before: end) }
    return String(text[..<end])
}
