package import JobModel

/// Which job a handler is working on.
public struct JobContext: Sendable {
    let batch: BatchID
    /// The job's place in its batch, from 0.
    public let index: Int
    /// Which try of the job this is, from 1.
    public let attempt: Int

    package init(batch: BatchID, index: Int, attempt: Int) {
        self.batch = batch
        self.index = index
        self.attempt = attempt
    }

    /// Such as `job_01JFHQ8X2M6E4T0S1V3W5Y7Z9A_17`: the same for every attempt, so it can serve as an idempotency key.
    public var jobID: String { JobID(batch: batch, index: index).description }

    /// Such as `bat_01JFHQ8X2M6E4T0S1V3W5Y7Z9A`.
    public var batchID: String { batch.description }
}
