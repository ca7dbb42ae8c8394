import JobModel

/// Jobs of a chunk that runs: a part without its input.
struct RunningPart: Sendable {
    /// Where its batch is.
    var place: Int
    var batch: BatchID
    var first: Int
    var count: Int
    var attempt: Int
    var isIsolated: Bool

    var range: Range<Int> { first..<first + count }
}

/// A chunk that runs, and how far it was heard of.
struct RunningChunk: Sendable {
    let handler: Int
    let queue: Int
    let startedAt: Moment
    let parts: [RunningPart]
    let count: Int
    /// Whether the runner was asked to hand back what has not begun.
    var isRecalled = false
    /// Jobs heard of, in the whole chunk.
    private(set) var heard = 0
    /// The part of the next job to hear of, and how many of its jobs were heard of.
    private var part = 0
    private var heardOfPart = 0
    var signs = RunningSigns()

    init(handler: Int, queue: Int, startedAt: Moment, parts: [RunningPart]) {
        self.handler = handler
        self.queue = queue
        self.startedAt = startedAt
        self.parts = parts
        count = parts.reduce(0) { $0 + $1.count }
    }

    /// The next `number` jobs, which must be of one part: those are now heard of.
    mutating func hear(_ number: Int) -> RunningPart? {
        guard number > 0, part < parts.count, number <= parts[part].count - heardOfPart else { return nil }
        var jobs = parts[part]
        jobs.first += heardOfPart
        jobs.count = number
        heard += number
        signs.forgetProgress(before: heard)
        heardOfPart += number
        if heardOfPart == parts[part].count {
            part += 1
            heardOfPart = 0
        }
        return jobs
    }

    /// A single job of the chunk; nil if it has none at this position.
    func job(at position: Int) -> RunningPart? {
        var offset = position
        guard offset >= 0 else { return nil }
        for part in parts {
            guard offset >= part.count else {
                var job = part
                job.first += offset
                job.count = 1
                return job
            }
            offset -= part.count
        }
        return nil
    }

    /// The job at a position if it was not heard of.
    func unheardJob(at position: Int) -> RunningPart? { position >= heard ? job(at: position) : nil }

    /// What was not heard of, part by part.
    var unheard: [RunningPart] {
        guard part < parts.count else { return [] }
        var rest = Array(parts[part...])
        rest[0].first += heardOfPart
        rest[0].count -= heardOfPart
        return rest
    }
}
