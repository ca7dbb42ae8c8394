import JobModel

/// Cuts what a process prints into lines.
struct LineSplitter {
    private static let lineFeed = UInt8(ascii: "\n")

    /// The line that has not ended yet.
    private var rest: [UInt8] = []

    /// Calls `body` with each line that has come to its end, or to the limit of a line's length, without its end.
    mutating func add(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        var bytes = bytes
        while let end = bytes.firstIndex(of: LineSplitter.lineFeed) {
            take(UnsafeRawBufferPointer(rebasing: bytes[..<end]), body)
            flush(body, evenIfEmpty: true)
            bytes = UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...])
        }
        take(bytes, body)
    }

    /// Ends the last line, if there is one.
    mutating func flush(_ body: (UnsafeRawBufferPointer) -> Void) { flush(body, evenIfEmpty: false) }

    private mutating func flush(_ body: (UnsafeRawBufferPointer) -> Void, evenIfEmpty: Bool) {
        if rest.isEmpty && !evenIfEmpty { return }
        rest.withUnsafeBytes(body)
        rest.removeAll(keepingCapacity: true)
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        var bytes = bytes[...]
        while rest.count + bytes.count > LogLine.textLimit {
            let room = LogLine.textLimit - rest.count
            rest += bytes.prefix(room)
            bytes = bytes.dropFirst(room)
            let length = LineSplitter.wholeCharacters(rest)
            let tail = Array(rest[length...])
            rest.removeSubrange(length...)
            flush(body, evenIfEmpty: false)
            rest = tail
        }
        rest += bytes
    }

    /// How many bytes of a full line do not cut a character in two.
    private static func wholeCharacters(_ bytes: [UInt8]) -> Int {
        // The last character begins at most three bytes before the end.
        for back in 1...4 where bytes.count > back {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let size = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            return size > back ? bytes.count - back : bytes.count
        }
        return bytes.count
    }

    /// A line's text: what is no UTF-8 is replaced, and what does not fit any more left out.
    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        let line = bytes.last == UInt8(ascii: "\r") ? UnsafeRawBufferPointer(rebasing: bytes.dropLast()) : bytes
        var text = String(decoding: line, as: UTF8.self)
        while text.utf8.count > LogLine.textLimit {
            // Rare: each replaced byte became three.
            text.unicodeScalars.removeLast()
        }
        return text
    }
}
