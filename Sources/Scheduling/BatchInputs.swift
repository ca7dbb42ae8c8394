import JSONBytes
import JobStore

/// Consecutive payloads as a chunk's part takes them.
struct TakenInput: Sendable {
    var count: Int
    var bytes: [UInt8]
}

/// A segment that is handed out piece by piece: it remembers where the last piece ended, so that each byte is walked once.
struct SegmentReader: Sendable {
    private let segment: Segment
    /// The job that begins at `offset`.
    private var next: Int
    private var offset = 0

    init(_ segment: Segment) {
        self.segment = segment
        next = segment.first
    }

    var range: Range<Int> { segment.range }
    var bytes: Int { segment.weight }
    var isFinished: Bool { next == segment.range.upperBound }

    /// The payloads of at most `limit` jobs from `index` on; nil if the segment does not hold that job.
    mutating func take(from index: Int, atMost limit: Int) -> TakenInput? {
        guard segment.range.contains(index), limit > 0 else { return nil }
        if index == segment.first, limit >= segment.count {
            next = segment.range.upperBound
            return TakenInput(count: segment.count, bytes: segment.input)
        }
        if index < next || isFinished {
            next = segment.first
            offset = 0
        }
        let count = min(limit, segment.range.upperBound - index)
        let text = CommaSeparated.slice(segment.input[offset...], dropping: index - next, taking: count)
        next = index + count
        offset = segment.input[text.endIndex...].firstIndex(of: UInt8(ascii: ",")).map { $0 + 1 } ?? segment.input.count
        return TakenInput(count: count, bytes: Array(text))
    }
}

/// The payloads of a batch that are in memory.
struct BatchInputs: Sendable {
    /// Ascending; what was handed out is dropped.
    private var ahead: [SegmentReader] = []
    /// The segment of the last retried job: such jobs lie anywhere and must not drive out what was read ahead.
    private var aside: SegmentReader?
    private(set) var bytes = 0

    /// Payloads of jobs that were never tried. Nil: they must be read first.
    mutating func take(from index: Int, atMost limit: Int) -> TakenInput? {
        while let first = ahead.first, first.range.upperBound <= index { dropFirst() }
        guard !ahead.isEmpty, let taken = ahead[0].take(from: index, atMost: limit) else { return nil }
        if ahead[0].isFinished { dropFirst() }
        return taken
    }

    /// Payloads of retried jobs. Nil: they must be read first.
    mutating func takeAside(from index: Int, atMost limit: Int) -> TakenInput? {
        aside?.take(from: index, atMost: limit)
    }

    mutating func setAhead(_ segments: [Segment]) {
        bytes -= ahead.reduce(0) { $0 + $1.bytes }
        ahead = segments.map(SegmentReader.init)
        bytes += ahead.reduce(0) { $0 + $1.bytes }
    }

    mutating func setAside(_ segment: Segment) {
        bytes -= aside?.bytes ?? 0
        let reader = SegmentReader(segment)
        aside = reader
        bytes += reader.bytes
    }

    mutating func removeAll() { self = BatchInputs() }

    private mutating func dropFirst() {
        bytes -= ahead[0].bytes
        ahead.removeFirst()
    }
}
