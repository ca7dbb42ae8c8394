import JobModel
import JobStore
import Synchronization

/// A store in memory that refuses what a real one refuses. It answers at once, on the caller's thread.
final class TestStore: WorkReading, OutcomeRecording {
    struct Stored {
        var record: BatchRecord
        /// How many batches were submitted before.
        var position: Int
        var shared: [UInt8]?
        var segments: [Segment]
        var outcomes: [Outcome?]
        var bodies: [[UInt8]?]
        var attempts: [AttemptRecord] = []
        /// In the order in which they were recorded.
        var runs: [OutcomeRun] = []
        var logs: [JobLog] = []

        func lines(of index: Int) -> [String] {
            logs.filter { $0.index == index }.flatMap { $0.lines.map(\.text) }
        }

        func attempts(of index: Int) -> [AttemptRecord] { attempts.filter { $0.index == index } }
    }

    private struct State {
        var batches: [BatchID: Stored] = [:]
        var queues: [String: QueueSettings] = [:]
        var isFull = false
        var failure: StoreError?
        var reads = 0
        var commits = 0
        /// While this is set, completions wait in here.
        var held: [@Sendable () -> Void]?
        var observer: (@Sendable ([StoreChange]) -> Void)?
    }

    private let state = Mutex(State())

    // MARK: What tests do

    func observe(_ observer: @escaping @Sendable ([StoreChange]) -> Void) {
        state.withLock { $0.observer = observer }
    }

    @discardableResult
    func submit(_ batch: NewBatch) -> BatchRecord {
        let record = BatchRecord(
            id: batch.id, handler: batch.handler, options: batch.options, total: batch.total,
            sharedBytes: batch.shared?.count, createdAt: batch.createdAt)
        let observer = state.withLock { state in
            state.batches[batch.id] = Stored(
                record: record, position: state.batches.count, shared: batch.shared, segments: batch.segments,
                outcomes: Array(repeating: nil, count: batch.total),
                bodies: Array(repeating: nil, count: batch.total))
            return state.observer
        }
        observer?([.submitted(record)])
        return record
    }

    /// False: there is nothing left to cancel.
    @discardableResult
    func requestCancel(_ id: BatchID) -> Bool {
        let observer = state.withLock { state -> (@Sendable ([StoreChange]) -> Void)?? in
            guard let batch = state.batches[id], !batch.record.isFinished else { return nil }
            state.batches[id]?.record.phase = .cancelling
            return .some(state.observer)
        }
        guard let observer else { return false }
        observer?([.cancelRequested(id)])
        return true
    }

    func configure(_ queue: QueueRecord) {
        let observer = state.withLock { state in
            state.queues[queue.name] = queue.settings
            return state.observer
        }
        observer?([.queueChanged(queue)])
    }

    func stored(_ id: BatchID) -> Stored {
        guard let batch = state.withLock({ $0.batches[id] }) else { preconditionFailure("there is no \(id)") }
        return batch
    }

    var reads: Int { state.withLock { $0.reads } }
    var commits: Int { state.withLock { $0.commits } }
    func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }
    func fail(with error: StoreError) { state.withLock { $0.failure = error } }
    func isFinished(_ id: BatchID) -> Bool { stored(id).record.isFinished }

    func hold() { state.withLock { $0.held = [] } }
    func release() {
        let held = state.withLock { state in
            defer { state.held = nil }
            return state.held ?? []
        }
        for completion in held { completion() }
    }

    // MARK: WorkReading

    func queueSettings() throws(StoreError) -> [QueueRecord] {
        try read { state in state.queues.map { QueueRecord(name: $0.key, settings: $0.value) } }
    }

    func unfinishedLanes() throws(StoreError) -> [WorkLane] {
        try read { state in
            let lanes = Set(state.batches.values.filter { !$0.record.isFinished }.map { WorkLane($0.record.options) })
            return lanes.sorted { ($1.priority, $0.queue) < ($0.priority, $1.queue) }
        }
    }

    func unfinishedBatches(
        in lane: WorkLane, after: BatchID?, limit: Int
    ) throws(StoreError) -> [UnfinishedBatch] {
        try read { state in
            let first = after.flatMap { state.batches[$0] }.map { $0.position + 1 } ?? 0
            let batches = state.batches.values.filter { batch in
                !batch.record.isFinished && WorkLane(batch.record.options) == lane && batch.position >= first
            }
            return batches.sorted { $0.position < $1.position }.prefix(limit).map(TestStore.unfinished)
        }
    }

    func segments(of batch: BatchID, covering range: Range<Int>, maximumBytes: Int) throws(StoreError) -> [Segment] {
        try read { state in
            var bytes = 0
            var segments: [Segment] = []
            for segment in state.batches[batch]?.segments ?? [] where segment.range.overlaps(range) {
                if !segments.isEmpty, bytes >= maximumBytes { break }
                segments.append(segment)
                bytes += segment.input.count
            }
            return segments
        }
    }

    func sharedValue(of batch: BatchID) throws(StoreError) -> [UInt8]? {
        try read { state in state.batches[batch]?.shared }
    }

    private func read<Value>(_ body: (inout sending State) -> Value) throws(StoreError) -> Value {
        let result = state.withLock { state -> Result<Value, StoreError> in
            state.reads += 1
            if let failure = state.failure { return .failure(failure) }
            return .success(body(&state))
        }
        return try result.get()
    }

    private static func unfinished(_ batch: Stored) -> UnfinishedBatch {
        var remaining: [Range<Int>] = []
        var retries: [PendingRetry] = []
        for index in batch.outcomes.indices where batch.outcomes[index] == nil {
            if let last = batch.attempts(of: index).max(by: { $0.number < $1.number }), let due = last.retryAt {
                retries.append(PendingRetry(index: index, failedAttempts: last.number, dueAt: due))
            } else if let previous = remaining.last, previous.upperBound == index {
                remaining[remaining.count - 1] = previous.lowerBound..<index + 1
            } else {
                remaining.append(index..<index + 1)
            }
        }
        return UnfinishedBatch(record: batch.record, remaining: remaining, retries: retries)
    }

    // MARK: OutcomeRecording

    func record(_ recordings: [Recording], completion: @escaping StoreCompletion<Void>) {
        commit(completion) { state throws(StoreError) in
            for recording in recordings {
                guard var batch = state.batches[recording.batch] else {
                    throw .conflict("there is no \(recording.batch)")
                }
                state.batches[recording.batch] = nil
                defer { state.batches[recording.batch] = batch }
                guard !batch.record.isFinished else { throw .conflict("\(recording.batch) is finished") }
                for attempt in recording.attempts {
                    guard batch.outcomes[attempt.index] == nil else { throw .conflict("attempt after the outcome") }
                    batch.attempts.append(attempt)
                }
                batch.logs += recording.logs
                for delta in recording.counters { batch.record.counters[delta.name, default: 0] += delta.amount }
                for run in recording.runs { try TestStore.insert(run, into: &batch) }
                TestStore.settle(&batch)
            }
        }
    }

    func cancelPending(
        of id: BatchID, except running: [Range<Int>], at time: Timestamp, completion: @escaping StoreCompletion<Void>
    ) {
        commit(completion) { state throws(StoreError) in
            guard var batch = state.batches[id], !batch.record.isFinished else { throw .conflict("\(id) is finished") }
            for index in batch.outcomes.indices where batch.outcomes[index] == nil {
                if running.contains(where: { $0.contains(index) }) { continue }
                batch.outcomes[index] = .cancelled
            }
            TestStore.settle(&batch)
            state.batches[id] = batch
        }
    }

    private func commit(
        _ completion: @escaping StoreCompletion<Void>, _ body: (inout State) throws(StoreError) -> Void
    ) {
        let (result, isHeld) = state.withLock { state -> (Result<Void, StoreError>, Bool) in
            var result: Result<Void, StoreError>
            if let failure = state.failure {
                result = .failure(failure)
            } else if state.isFull {
                result = .failure(.full("test"))
            } else {
                state.commits += 1
                do throws(StoreError) {
                    try body(&state)
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
            }
            guard state.held != nil else { return (result, false) }
            state.held?.append { [result] in completion(result) }
            return (result, true)
        }
        if !isHeld { completion(result) }
    }

    private static func insert(_ run: OutcomeRun, into batch: inout Stored) throws(StoreError) {
        let bodies = run.body.isEmpty ? [] : run.body.split(separator: UInt8(ascii: ","))
        for index in run.range {
            guard batch.outcomes.indices.contains(index), batch.outcomes[index] == nil else {
                throw .conflict("a second outcome for job \(index) of \(batch.record.id)")
            }
            batch.outcomes[index] = run.outcome
            if run.outcome == .succeeded { batch.bodies[index] = Array(bodies[index - run.first]) }
        }
        if run.outcome == .failed, run.count == 1 { batch.bodies[run.first] = run.body }
        batch.runs.append(run)
    }

    private static func settle(_ batch: inout Stored) {
        guard batch.outcomes.allSatisfy({ $0 != nil }) else { return }
        batch.record.phase = batch.record.phase == .cancelling ? .cancelled : .completed
    }
}
