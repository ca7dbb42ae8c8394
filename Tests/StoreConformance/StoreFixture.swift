package import JobModel
package import JobStore
import Platform
import Synchronization

/// A store that is tried out. Each behaviour gets its own, empty at first.
package protocol StoreFixture: AnyObject {
    var store: any JobStoring { get }
    /// Observes `store`, also after it was reopened.
    var log: ChangeLog { get }
    /// Closes the store and opens again what it has stored, as a new process would.
    func reopen() throws
}

/// Everything that a store has told its observers.
package final class ChangeLog: StoreObserver {
    private let changes = Mutex<[StoreChange]>([])

    package init() {}

    package func storeDidCommit(_ changes: [StoreChange]) { self.changes.withLock { $0 += changes } }

    package var all: [StoreChange] { changes.withLock { $0 } }

    package var submitted: [BatchRecord] {
        all.compactMap { if case .submitted(let record, _) = $0 { record } else { nil } }
    }
    package var finished: [BatchRecord] {
        all.compactMap { if case .finished(let record, _) = $0 { record } else { nil } }
    }
    /// What came along with the news that a batch had finished.
    package var finishedOutcomes: [[OutcomeRun]] {
        all.compactMap { if case .finished(_, let outcomes) = $0 { outcomes } else { nil } }
    }
    package var cancelRequested: [BatchID] {
        all.compactMap { if case .cancelRequested(let id) = $0 { id } else { nil } }
    }
    package var queueChanges: [QueueRecord] {
        all.compactMap { if case .queueChanged(let record) = $0 { record } else { nil } }
    }
    package var deliveriesAdded: Int { all.count { if case .deliveriesAdded = $0 { true } else { false } } }
}

/// A result that arrives on another thread.
package final class Awaited<Value: Sendable>: Sendable {
    private let result = Monitor<Result<Value, StoreError>?>(nil)

    package init() {}

    package var completion: StoreCompletion<Value> {
        { [result] value in
            result.withLock { $0 = value }
            result.notifyAll()
        }
    }

    /// Waits until it is there; gives up after half a minute.
    package func get() throws -> Value {
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 30)
        let value: Result<Value, StoreError>? = result.wait { value in
            value != nil || MonotonicTime.now() > deadline ? .done(value) : .sleep(until: deadline)
        }
        guard let value else { throw Violation(what: "no completion came", line: #line) }
        return try value.get()
    }
}

// The verbs that write, waited for.
extension StoreFixture {
    @discardableResult
    package func submit(_ batch: NewBatch) throws -> BatchRecord {
        let answer = Awaited<BatchRecord>()
        store.submit(batch, completion: answer.completion)
        return try answer.get()
    }

    /// Many at once, so that they share commits.
    package func submit(_ batches: [NewBatch]) throws {
        let answers = batches.map { batch in
            let answer = Awaited<BatchRecord>()
            store.submit(batch, completion: answer.completion)
            return answer
        }
        for answer in answers { _ = try answer.get() }
    }

    @discardableResult
    package func requestCancel(_ id: BatchID) throws -> BatchRecord? {
        let answer = Awaited<BatchRecord?>()
        store.requestCancel(id, completion: answer.completion)
        return try answer.get()
    }

    package func record(_ recordings: Recording...) throws {
        let answer = Awaited<Void>()
        store.record(recordings, completion: answer.completion)
        try answer.get()
    }

    package func cancelPending(_ id: BatchID, except running: [Range<Int>] = [], at time: Timestamp) throws {
        let answer = Awaited<Void>()
        store.cancelPending(of: id, except: running, at: time, completion: answer.completion)
        try answer.get()
    }

    @discardableResult
    package func changeQueue(_ name: String, _ change: QueueChange) throws -> QueueRecord {
        let answer = Awaited<QueueRecord>()
        store.changeQueue(name, change, completion: answer.completion)
        return try answer.get()
    }

    /// Many at once, so that they share commits.
    package func changeQueues(_ names: [String], _ change: QueueChange) throws {
        let answers = names.map { name in
            let answer = Awaited<QueueRecord>()
            store.changeQueue(name, change, completion: answer.completion)
            return answer
        }
        for answer in answers { _ = try answer.get() }
    }

    package func recordDelivery(_ attempt: DeliveryAttempt) throws {
        let answer = Awaited<Void>()
        store.recordDelivery(attempt, completion: answer.completion)
        try answer.get()
    }
}
