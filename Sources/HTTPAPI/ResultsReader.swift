import JobModel
import JobStore

/// Which of a batch's results a request asks for.
struct ResultsSelection: Sendable, Equatable {
    /// The index of the job to begin with.
    var first = 0
    /// How many at most; nil: all.
    var limit: Int?
}

/// Reads the results of a batch page by page, in order of index, as far as they are recorded.
struct ResultsReader: Sendable {
    struct Page: Sendable {
        var bytes: [UInt8]
        /// Nothing comes behind it.
        var isLast: Bool
    }

    /// The index of the job to go on with.
    private(set) var next: Int
    /// How many were read so far.
    private(set) var count = 0
    private let store: any BatchReading
    private let batch: BatchRecord
    private let encoder: ResultsEncoder
    private let limit: Int
    private var isFirstPage = true

    init(_ store: any BatchReading, _ batch: BatchRecord, _ view: ResultsEncoder.View, _ selection: ResultsSelection) {
        self.store = store
        self.batch = batch
        encoder = ResultsEncoder(view, batch: batch.id)
        next = selection.first
        limit = selection.limit ?? .max
    }

    /// How much stored text goes into a page. Lines are much longer than small results are.
    private var pageBytes: Int { encoder.view == .values ? 256 * 1024 : 32 * 1024 }

    /// One row can stand for millions of cancelled or expired jobs: it is written out so many lines at a time.
    private static let bareLinesPerPage = 4096

    /// With `values` the pages make up one JSON array.
    mutating func page() throws(StoreError) -> Page {
        var bytes: [UInt8] = []
        let isArray = encoder.view == .values
        if isArray, isFirstPage { bytes.append(UInt8(ascii: "[")) }
        let isLast = try read(into: &bytes)
        if isArray, isLast { bytes.append(UInt8(ascii: "]")) }
        isFirstPage = false
        return Page(bytes: bytes, isLast: isLast)
    }

    /// Whether more is recorded behind what was read.
    func hasMore() throws(StoreError) -> Bool {
        guard next < batch.total else { return false }
        return try !store.results(of: batch.id, from: next, maximumBytes: 1).isEmpty
    }

    /// True if nothing more is to be read.
    private mutating func read(into bytes: inout [UInt8]) throws(StoreError) -> Bool {
        guard count < limit, next < batch.total else { return true }
        let runs = try store.results(of: batch.id, from: next, maximumBytes: pageBytes)
        if encoder.view == .values { bytes.reserveCapacity(2 + runs.reduce(0) { $0 + $1.body.count + 1 }) }
        for run in runs where count < limit {
            let lower = max(run.first, next)
            var length = min(run.range.upperBound - lower, limit - count)
            if run.body.isEmpty { length = min(length, ResultsReader.bareLinesPerPage) }
            let range = lower..<(lower + length)
            if encoder.view == .values {
                guard lower == next, run.outcome == .succeeded else {
                    throw .conflict("batch \(batch.id) has no result for job \(next), although all are said to succeed")
                }
            }
            encoder.append(run, range, isFirst: count == 0, to: &bytes)
            next = range.upperBound
            count += range.count
            // The page is full; the next one goes on inside this run.
            if range.upperBound < run.range.upperBound { break }
        }
        return runs.isEmpty || count >= limit || next >= batch.total
    }
}
