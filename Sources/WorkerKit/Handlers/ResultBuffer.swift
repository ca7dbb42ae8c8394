internal import JSONBytes

/// Where a handler of raw bytes puts the JSON text of its result.
public struct ResultBuffer {
    private(set) var text: [UInt8] = []

    package init() {}

    /// How many bytes there are so far.
    public var count: Int { text.count }

    /// Adds bytes of JSON text as they are.
    public mutating func append(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { text.append(contentsOf: $0) }
    }

    /// Adds bytes of JSON text as they are.
    public mutating func append(contentsOf bytes: some Sequence<UInt8>) {
        text.append(contentsOf: bytes)
    }

    /// Adds one byte of JSON text as it is.
    public mutating func append(_ byte: UInt8) { text.append(byte) }

    /// Adds a number as JSON text.
    public mutating func append(integer: Int) { JSONWriter.append(integer, to: &text) }

    /// Adds a string as JSON text, with quotation marks and escapes.
    public mutating func append(string: String) { JSONWriter.append(string, to: &text) }

    mutating func append(double: Double) { JSONWriter.append(double, to: &text) }

    mutating func removeAll() {
        // An unusually large result does not stay in memory for good.
        text.removeAll(keepingCapacity: text.capacity <= 1 << 20)
    }

    /// Makes sure that this is exactly one JSON value on one line, which is what streams of results are made of.
    /// - Returns: false if it is not one valid value.
    mutating func normalize() -> Bool {
        if isShortInteger { return true }
        guard CommaSeparated.validate(text, expectedCount: 1) else { return false }
        OneLine.join(&text)
        return true
    }

    /// The most frequent small result needs no parser.
    private var isShortInteger: Bool {
        let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text[...]
        guard let first = digits.first, digits.count <= 18 else { return false }
        if first == UInt8(ascii: "0") { return digits.count == 1 }
        return digits.allSatisfy { (0x30...0x39).contains($0) }
    }
}
