package import JobModel

/// A batch as it is handed in: durable once `submit` has completed.
package struct NewBatch: Sendable {
    package var id: BatchID
    package var handler: String
    package var options: BatchOptions
    package var createdAt: Timestamp
    /// JSON text of the value that the batch shares with all its jobs, or nil.
    package var shared: [UInt8]?
    /// Without gaps from index 0, in order, at least one.
    package var segments: [Segment]

    package init(
        id: BatchID, handler: String, options: BatchOptions, createdAt: Timestamp, shared: [UInt8]? = nil,
        segments: [Segment]
    ) {
        self.id = id
        self.handler = handler
        self.options = options
        self.createdAt = createdAt
        self.shared = shared
        self.segments = segments
    }

    package var total: Int { segments.last.map { $0.first + $0.count } ?? 0 }
}

/// Consecutive jobs of a batch as stored: one row.
package struct Segment: Sendable, Hashable {
    package static let maximumCount = 1000
    /// Text bytes; a single larger payload is a segment of its own.
    package static let targetBytes = 256 * 1024

    /// The index of its first job.
    package var first: Int
    package var count: Int
    /// The payloads as they came: valid JSON values with commas (and any white space) between them, without brackets.
    package var input: [UInt8]

    package init(first: Int, count: Int, input: [UInt8]) {
        self.first = first
        self.count = count
        self.input = input
    }

    package var range: Range<Int> { first..<first + count }

    /// Bytes of memory, with something for the array itself, so that none weighs nothing.
    package var weight: Int { input.count + 64 }
}

extension [Segment] {
    /// The first ones that together weigh no more than this.
    package func first(weighing limit: Int) -> [Segment] {
        var weight = 0
        return Array(
            prefix { segment in
                weight += segment.weight
                return weight <= limit
            })
    }
}

/// A batch as the store knows it, without its payloads and results.
package struct BatchRecord: Sendable, Hashable {
    /// The stored phase. Whether an active batch is queued or running is known by its counts and by the scheduler.
    package enum Phase: String, Sendable {
        case active, cancelling, completed, cancelled
    }

    package var id: BatchID
    package var handler: String
    package var options: BatchOptions
    package var total: Int
    /// Size of the value that the batch shares with its jobs; nil without one. `WorkReading.sharedValue` has the value.
    package var sharedBytes: Int?
    package var counts: OutcomeCounts
    /// Sums of what the jobs have added to the batch's counters, by name.
    package var counters: [String: Int64]
    package var phase: Phase
    package var createdAt: Timestamp
    /// When the first outcome or attempt was recorded, nil before.
    package var startedAt: Timestamp?
    /// When the last job got its outcome.
    package var finishedAt: Timestamp?

    package init(
        id: BatchID, handler: String, options: BatchOptions, total: Int, sharedBytes: Int? = nil,
        counts: OutcomeCounts = OutcomeCounts(), counters: [String: Int64] = [:], phase: Phase = .active,
        createdAt: Timestamp, startedAt: Timestamp? = nil, finishedAt: Timestamp? = nil
    ) {
        self.id = id
        self.handler = handler
        self.options = options
        self.total = total
        self.sharedBytes = sharedBytes
        self.counts = counts
        self.counters = counters
        self.phase = phase
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }

    /// Every job has its outcome.
    package var isFinished: Bool { phase == .completed || phase == .cancelled }
}
