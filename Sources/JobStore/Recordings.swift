package import JobModel

/// The same outcome of consecutive jobs of a batch: one row of results.
package struct OutcomeRun: Sendable, Hashable {
    /// The index of its first job.
    package var first: Int
    package var count: Int
    package var outcome: Outcome
    /// Compact JSON values with commas between them, without brackets: results of succeeded jobs, error objects of failed ones.
    /// Empty for cancelled and expired jobs.
    package var body: [UInt8]

    package init(first: Int, count: Int, outcome: Outcome, body: [UInt8]) {
        self.first = first
        self.count = count
        self.outcome = outcome
        self.body = body
    }

    package var range: Range<Int> { first..<first + count }
}

/// One try of a job that did not succeed. Only such tries have a row.
package struct AttemptRecord: Sendable, Hashable {
    package var index: Int
    /// From 1.
    package var number: Int
    package var failure: Failure
    package var startedAt: Timestamp
    package var finishedAt: Timestamp
    /// When the next try is due; nil if this was the last one.
    package var retryAt: Timestamp?

    package init(
        index: Int, number: Int, failure: Failure, startedAt: Timestamp, finishedAt: Timestamp, retryAt: Timestamp?
    ) {
        self.index = index
        self.number = number
        self.failure = failure
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.retryAt = retryAt
    }
}

/// What the scheduler learnt about one batch, to be recorded in one commit.
package struct Recording: Sendable {
    package var batch: BatchID
    /// Of jobs that have no outcome yet; never overlapping.
    package var runs: [OutcomeRun]
    package var attempts: [AttemptRecord]
    /// Added to the batch's counters; at most one delta for each name.
    package var counters: [CounterDelta]
    package var logs: [JobLog]
    package var recordedAt: Timestamp

    package init(
        batch: BatchID, runs: [OutcomeRun] = [], attempts: [AttemptRecord] = [], counters: [CounterDelta] = [],
        logs: [JobLog] = [], recordedAt: Timestamp
    ) {
        self.batch = batch
        self.runs = runs
        self.attempts = attempts
        self.counters = counters
        self.logs = logs
        self.recordedAt = recordedAt
    }
}

/// Lines that one try of a job logged. Kept as far as `bytesPerJob` and `bytesPerBatch` go: the first lines stay, later ones are
/// only counted.
package struct JobLog: Sendable, Hashable {
    package var index: Int
    /// Which try, from 1.
    package var attempt: Int
    package var lines: [LogLine]
    /// Lines that were left out before they came here.
    package var dropped: Int
    /// The same since the job began to run, those of earlier recordings included. It is not stored: by it, what is on its way into
    /// the store can be told from what is there already.
    package var droppedSoFar: Int

    /// - Parameter droppedSoFar: nil: there were no earlier recordings.
    package init(index: Int, attempt: Int, lines: [LogLine], dropped: Int = 0, droppedSoFar: Int? = nil) {
        self.index = index
        self.attempt = attempt
        self.lines = lines
        self.dropped = dropped
        self.droppedSoFar = droppedSoFar ?? dropped
    }

    /// Text bytes.
    package static let bytesPerJob = 16_384
    /// Text bytes.
    package static let bytesPerBatch = 1_048_576
}
