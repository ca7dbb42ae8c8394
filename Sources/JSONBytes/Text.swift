import CJSONScan

/// Bytes as the C functions take them. Valid as long as the buffer that it was made of.
struct Text {
    let start: UnsafePointer<UInt8>?
    let count: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        count = bytes.count
    }
}

extension jsonscan_span {
    /// In the coordinates of a text that starts at `offset`.
    func range(offset: Int) -> Range<Int> { (offset + start)..<(offset + end) }
}
