package import JobModel

/// A page of batches, newest first.
package struct BatchPage: Sendable {
    package var batches: [BatchRecord]
    /// Hand it back as `before` to get the next page; nil on the last one. A page may have less than was asked for, and yet a
    /// next one: what it costs to find what is rare is spread over several.
    package var next: BatchID?

    package init(batches: [BatchRecord], next: BatchID?) {
        self.batches = batches
        self.next = next
    }
}

/// Which batches to list.
package struct BatchFilter: Sendable, Hashable {
    package var handler: String?
    package var queue: String?
    package var phases: [BatchRecord.Phase]

    /// - Parameter phases: empty means all.
    package init(handler: String? = nil, queue: String? = nil, phases: [BatchRecord.Phase] = []) {
        self.handler = handler
        self.queue = queue
        self.phases = phases
    }
}

/// One job with all that is stored about it.
package struct JobRecord: Sendable {
    package var id: JobID
    package var batch: BatchRecord
    /// JSON text.
    package var payload: [UInt8]
    /// Nil while the job has no outcome.
    package var outcome: Outcome?
    /// The result or the error object, JSON text; nil without one.
    package var body: [UInt8]?
    package var attempts: [AttemptRecord]
    /// Ascending by attempt, one for each attempt that logged.
    package var logs: [JobLog]

    package init(
        id: JobID, batch: BatchRecord, payload: [UInt8], outcome: Outcome?, body: [UInt8]?, attempts: [AttemptRecord],
        logs: [JobLog] = []
    ) {
        self.id = id
        self.batch = batch
        self.payload = payload
        self.outcome = outcome
        self.body = body
        self.attempts = attempts
        self.logs = logs
    }
}
