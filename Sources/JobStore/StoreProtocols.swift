package import JobModel

// The seam of the store: domain verbs, a narrow protocol for each client. No SQL, no transaction and no row type crosses it.
//
// Verbs that write return at once and complete after the commit that made them durable, on the store's writer thread: a
// completion may only hand the news on. Verbs that read block their thread for as long as the store needs.

package typealias StoreCompletion<Value> = @Sendable (Result<Value, StoreError>) -> Void

/// Takes new work in. For the HTTP front.
package protocol BatchSubmitting: Sendable {
    func submit(_ batch: NewBatch, completion: @escaping StoreCompletion<BatchRecord>)
    /// Completes with the batch as it then is; nil if there is none. A finished batch is left alone. The jobs get their outcome
    /// from the scheduler, which hears of the request as `StoreChange.cancelRequested`.
    func requestCancel(_ batch: BatchID, completion: @escaping StoreCompletion<BatchRecord?>)
}

/// Answers questions. For the HTTP front; safe on several threads at once.
package protocol BatchReading: Sendable {
    func batch(_ id: BatchID) throws(StoreError) -> BatchRecord?
    /// Newest first, at most `limit`, all older than `before` if that is given.
    func batches(_ filter: BatchFilter, before: BatchID?, limit: Int) throws(StoreError) -> BatchPage
    func job(_ id: JobID) throws(StoreError) -> JobRecord?
    /// Recorded runs in ascending order of index that touch `first` or later, as whole rows (so the first may begin before
    /// `first`), until about `maximumBytes` of bodies are reached; at least one if there is one. Empty: no more as of now.
    func results(of batch: BatchID, from first: Int, maximumBytes: Int) throws(StoreError) -> [OutcomeRun]
    /// The indices of failed jobs in ascending order, at most `limit`.
    func failedIndices(of batch: BatchID, limit: Int) throws(StoreError) -> [Int]
}

/// Finds work. For the scheduler.
package protocol WorkReading: Sendable {
    /// The queues that have settings of their own, by name.
    func queueSettings() throws(StoreError) -> [QueueRecord]
    /// The lanes in which there are unfinished batches, highest priority first, then by name of the queue.
    func unfinishedLanes() throws(StoreError) -> [WorkLane]
    /// Unfinished batches of one lane in order of submission, which is that of commits and of news, and not always that of
    /// identifiers; only those submitted after `after`, at most `limit`.
    func unfinishedBatches(in lane: WorkLane, after: BatchID?, limit: Int) throws(StoreError) -> [UnfinishedBatch]
    /// The segments that hold jobs of `range`, ascending, until about `maximumBytes` of input are reached; at least one.
    func segments(of batch: BatchID, covering range: Range<Int>, maximumBytes: Int) throws(StoreError) -> [Segment]
    /// JSON text; nil if the batch shares nothing or does not exist.
    func sharedValue(of batch: BatchID) throws(StoreError) -> [UInt8]?
}

/// Records what came of the work. For the scheduler.
package protocol OutcomeRecording: Sendable {
    /// Records runs, attempts, additions to counters, logs, and, if this ends the batch, its end and its deliveries, all in one
    /// commit. Sums of counters stop at the largest and the smallest number.
    /// A recording that would give a job a second outcome is refused with `StoreError.conflict` and changes nothing.
    func record(_ recordings: [Recording], completion: @escaping StoreCompletion<Void>)
    /// Gives every job without an outcome that is not in `running` the outcome `cancelled`.
    func cancelPending(
        of batch: BatchID, except running: [Range<Int>], at time: Timestamp, completion: @escaping StoreCompletion<Void>
    )
}

/// Queues and how they are served. For the HTTP front; a queue that nobody has set up is there all the same, like any other.
package protocol QueueKeeping: Sendable {
    func queue(_ name: String) throws(StoreError) -> QueueOverview
    /// By name: queues that have settings of their own, those with unfinished batches, and the default one; only those behind
    /// `after`, at most `limit`.
    func queues(after: String?, limit: Int) throws(StoreError) -> [QueueOverview]
    /// Completes with the queue as it is from now on. Observers hear of it if that is something new.
    func changeQueue(_ name: String, _ change: QueueChange, completion: @escaping StoreCompletion<QueueRecord>)
}

/// The outbox. For the webhook loop.
package protocol DeliveryQueue: Sendable {
    /// Pending deliveries that are due at `time`, the oldest first.
    func dueDeliveries(at time: Timestamp, limit: Int) throws(StoreError) -> [Delivery]
    /// When the first pending delivery that is due only after `time` will be due; nil if there is none. (Those due before may be
    /// on their way already, and must not hide the next one.)
    func nextDeliveryTime(after time: Timestamp) throws(StoreError) -> Timestamp?
    func recordDelivery(_ attempt: DeliveryAttempt, completion: @escaping StoreCompletion<Void>)
}

/// Hears of every commit that changed something, on the store's writer thread: hand the news on, do not block.
package protocol StoreObserver: Sendable {
    func storeDidCommit(_ changes: [StoreChange])
}

package typealias JobStoring = BatchSubmitting & BatchReading & WorkReading & OutcomeRecording & QueueKeeping
    & DeliveryQueue
