import Glibc
import Platform

/// Passes on what a command writes to its standard error, and keeps the end of it for error messages.
struct ErrorTail {
    static let limit = 2048
    /// What is read of a stream whose writer may never stop.
    private static let drainLimit = 1 << 20

    private let target: Int32
    private var bytes: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 16_384)

    /// - Parameter target: where everything goes: the worker's own standard error.
    init(target: Int32 = STDERR_FILENO) { self.target = target }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Reads once.
    /// - Returns: how many bytes there were; nil: the stream has ended.
    mutating func copy(from pipe: Int32) -> Int? {
        var space = buffer.mutableSpan
        let received = space.withUnsafeMutableBytes { Pipe.read(pipe, into: $0) }
        switch received {
        case .end: return nil
        case .nothing: return 0
        case .bytes(let count):
            let text = buffer[..<count]
            bytes.append(contentsOf: text.suffix(ErrorTail.limit))
            if bytes.count > ErrorTail.limit { bytes.removeFirst(bytes.count - ErrorTail.limit) }
            forward(text)
            return count
        }
    }

    /// Reads what is there.
    mutating func drain(_ pipe: Int32) {
        var total = 0
        while total < ErrorTail.drainLimit, let count = copy(from: pipe), count > 0 { total += count }
    }

    private func forward(_ text: ArraySlice<UInt8>) {
        text.withUnsafeBytes { raw in
            var rest = raw[...]
            while !rest.isEmpty {
                let count = write(target, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                // Nobody listens; the job does not depend on it.
                if count <= 0 { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// As far as it is text; nil if there is none.
    var text: String? {
        // The cut may have gone through a character.
        let whole = bytes.count < ErrorTail.limit ? bytes[...] : bytes.drop { $0 & 0xC0 == 0x80 }
        let text = String(decoding: whole, as: UTF8.self)
        return text.allSatisfy(\.isWhitespace) ? nil : text
    }

    /// The last line with something in it, shortened to a length that fits a sentence.
    var lastLine: String? {
        guard let line = text?.split(whereSeparator: \.isNewline).last(where: { !$0.allSatisfy(\.isWhitespace) }) else {
            return nil
        }
        let sentence = String(line.drop(while: \.isWhitespace))
        return sentence.count > 300 ? sentence.prefix(299) + "…" : sentence
    }
}
