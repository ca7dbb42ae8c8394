package import JobModel

/// A batch with work left, as the scheduler needs it.
package struct UnfinishedBatch: Sendable, Hashable {
    package var record: BatchRecord
    /// Jobs without an outcome, ascending, without gaps inside; jobs in `retries` are not in here.
    package var remaining: [Range<Int>]
    /// Jobs without an outcome that were tried before.
    package var retries: [PendingRetry]

    package init(record: BatchRecord, remaining: [Range<Int>], retries: [PendingRetry] = []) {
        self.record = record
        self.remaining = remaining
        self.retries = retries
    }
}

package struct PendingRetry: Sendable, Hashable {
    package var index: Int
    /// Tries that failed so far.
    package var failedAttempts: Int
    package var dueAt: Timestamp

    package init(index: Int, failedAttempts: Int, dueAt: Timestamp) {
        self.index = index
        self.failedAttempts = failedAttempts
        self.dueAt = dueAt
    }
}

/// What changed with a commit. A hint to look: the store is the truth.
package enum StoreChange: Sendable {
    /// Carried along so that the scheduler need not read back what was just written.
    /// - inputs: the batch's first segments, all of them if they are only a few KiB. The others are read when they are needed.
    case submitted(BatchRecord, inputs: [Segment] = [])
    case cancelRequested(BatchID)
    /// Every job has its outcome; the record is as of this commit.
    /// - outcomes: all of them if nothing but them was ever recorded of the batch and they are only a few KiB, else none: then
    ///   they are read where they are needed.
    case finished(BatchRecord, outcomes: [OutcomeRun] = [])
    /// From now on the queue is served like this.
    case queueChanged(QueueRecord)
    /// A row was added to the outbox.
    case deliveriesAdded
}
