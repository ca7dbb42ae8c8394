import JobModel
import Platform
import WorkerKit

/// What a worker prints, from its pipes, and what it logs: lines within a budget. Belongs to the pool's thread.
final class WorkerOutput {
    enum Stream: UInt32, CaseIterable {
        case output = 0
        case errors = 1

        var source: LogLine.Source { self == .output ? .standardOutput : .standardError }
    }

    /// Lines that came to their end.
    struct Heard {
        var lines: [LogLine] = []
        /// How many more were beyond the budget.
        var dropped = 0

        var isEmpty: Bool { lines.isEmpty && dropped == 0 }
    }

    /// Read at once before others get their turn.
    private static let portion = 64 << 10
    /// What a dead worker's children may go on printing is not waited for.
    private static let lastPortions = 16

    private struct Source {
        let pipe: Int32
        var lines = LineSplitter()
        var isOpen = true
    }

    private let output: Descriptor
    private let errors: Descriptor
    private var sources: [Source]
    private var budget: LogBudget
    private var tail = OutputTail()
    /// What `readAhead` has read.
    private var ahead = Heard()
    private var buffer = [UInt8](repeating: 0, count: WorkerOutput.portion)

    init(output: consuming Descriptor, errors: consuming Descriptor) {
        sources = [Source(pipe: output.rawValue), Source(pipe: errors.rawValue)]
        self.output = output
        self.errors = errors
        budget = LogBudget(now: .now())
    }

    /// The end of what was written to standard error between two marks, but not before the last `forget`.
    /// - Parameters:
    ///   - since: nil: from the beginning.
    ///   - until: nil: to the end.
    func standardError(since: ErrorsMark?, until: ErrorsMark? = nil) -> String? {
        tail.text(since: since, until: until)
    }

    /// The streams that can be watched for reading.
    var open: [(stream: Stream, pipe: Int32)] {
        Stream.allCases.filter { sources[Int($0.rawValue)].isOpen }.map { ($0, sources[Int($0.rawValue)].pipe) }
    }

    func pipe(of stream: Stream) -> Int32 { sources[Int(stream.rawValue)].pipe }

    /// Reads once.
    /// - Returns: what was heard, and whether the stream is still open.
    func read(_ stream: Stream) -> (heard: Heard, isOpen: Bool) {
        var heard = takeAhead()
        _ = read(stream, into: &heard)
        return (heard, sources[Int(stream.rawValue)].isOpen)
    }

    /// Reads all that is there; a line that is begun goes on.
    func readAll() -> Heard {
        var heard = takeAhead()
        for stream in Stream.allCases { readAll(stream, into: &heard) }
        return heard
    }

    /// The same, but what is heard is returned by whatever reads next.
    func readAhead() { ahead = readAll() }

    private func takeAhead() -> Heard {
        defer { ahead = Heard() }
        return ahead
    }

    private func readAll(_ stream: Stream, into heard: inout Heard) {
        var portions = 0
        while portions < WorkerOutput.lastPortions, read(stream, into: &heard) { portions += 1 }
    }

    /// Reads all that is there and ends lines that are begun: the chunk's end has come, or the worker's.
    func drain() -> Heard {
        var heard = takeAhead()
        for stream in Stream.allCases {
            readAll(stream, into: &heard)
            flush(stream, into: &heard)
        }
        return heard
    }

    /// What was printed belongs to a chunk that has ended.
    func forget() { tail.clear() }

    /// A line that the worker has sent.
    func logged(_ source: LogLine.Source, _ text: String) -> Heard {
        guard budget.takes(bytes: text.utf8.count, now: .now()) else { return Heard(dropped: 1) }
        return Heard(lines: [line(source, text)])
    }

    /// - Returns: whether there may be more.
    private func read(_ stream: Stream, into heard: inout Heard) -> Bool {
        let index = Int(stream.rawValue)
        guard sources[index].isOpen else { return false }
        let begin = MonotonicTime.now()
        let received = buffer.withUnsafeMutableBytes { Pipe.read(sources[index].pipe, into: $0) }
        switch received {
        case .nothing:
            return false
        case .end:
            sources[index].isOpen = false
            flush(stream, into: &heard)
            return false
        case .bytes(let count):
            let now = MonotonicTime.now()
            buffer.withUnsafeBytes { raw in
                let bytes = UnsafeRawBufferPointer(rebasing: raw[..<count])
                if stream == .errors { tail.add(bytes, from: begin, to: now) }
                sources[index].lines.add(bytes) { take($0, stream.source, now, &heard) }
            }
            return true
        }
    }

    private func flush(_ stream: Stream, into heard: inout Heard) {
        sources[Int(stream.rawValue)].lines.flush { take($0, stream.source, .now(), &heard) }
    }

    private func take(
        _ bytes: UnsafeRawBufferPointer, _ source: LogLine.Source, _ now: MonotonicTime, _ heard: inout Heard
    ) {
        // The budget first: a flood of lines is not worth their texts.
        guard budget.takes(bytes: bytes.count, now: now) else {
            heard.dropped += 1
            return
        }
        heard.lines.append(line(source, LineSplitter.text(bytes)))
    }

    private func line(_ source: LogLine.Source, _ text: String) -> LogLine {
        LogLine(time: Timestamp(microseconds: WallClock.microseconds()), source: source, text: text)
    }
}
