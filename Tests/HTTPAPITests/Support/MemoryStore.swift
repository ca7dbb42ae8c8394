import JSONBytes
import JobModel
import JobStore
import Platform
import Synchronization

/// A store in memory that keeps the contract of the real one: submissions complete on its own thread, and only then are
/// they there.
final class MemoryStore: BatchSubmitting, BatchReading, QueueKeeping {
    struct Entry: Sendable {
        var record: BatchRecord
        var segments: [Segment]
        var runs: [OutcomeRun] = []
        var attempts: [AttemptRecord] = []
        var logs: [JobLog] = []
        var shared: [UInt8]?
    }

    struct State: Sendable {
        var entries: [BatchID: Entry] = [:]
        /// In order of submission.
        var order: [BatchID] = []
        /// What submissions fail with.
        var submitError: StoreError?
        /// What reads fail with.
        var readError: StoreError?
        /// What the scheduler would do to each batch, as soon as it is stored.
        var work: (@Sendable (NewBatch) -> [OutcomeRun])?
        var isHeld = false
        /// Those with settings of their own.
        var queues: [String: QueueSettings] = [:]
        var reads = 0
    }

    let state = Monitor(State())
    private let writer = TaskThreads(name: "writer", count: 1)
    private let observer = Mutex<(@Sendable ([StoreChange]) -> Void)?>(nil)

    func start(_ observer: @escaping @Sendable ([StoreChange]) -> Void) throws {
        self.observer.withLock { $0 = observer }
        try writer.start()
    }

    func stop() { writer.stop() }

    var batches: [BatchRecord] { state.withLock { state in state.order.compactMap { state.entries[$0]?.record } } }

    func entry(_ id: BatchID) -> Entry? { state.withLock { $0.entries[id] } }

    /// Submissions are not stored before this is undone.
    func hold(_ isHeld: Bool) {
        state.withLock { $0.isHeld = isHeld }
        state.notifyAll()
    }

    /// The first batch, as soon as it is stored; nil after ten seconds.
    func firstBatch() -> BatchRecord? {
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 10)
        return state.wait { state in
            if let id = state.order.first { return .done(state.entries[id]?.record) }
            return MonotonicTime.now() < deadline ? .sleep(until: deadline) : .done(nil)
        }
    }

    /// Returns when the store was asked so often, or after ten seconds.
    func waitForReads(_ count: Int) {
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 10)
        state.wait { state in
            state.reads >= count || MonotonicTime.now() >= deadline ? .done(()) : .sleep(until: deadline)
        }
    }

    /// Records outcomes, and tells who observes if that ends the batch.
    func record(_ runs: [OutcomeRun], attempts: [AttemptRecord] = [], of id: BatchID) {
        let finished = state.withLock { state -> BatchRecord? in
            guard var entry = state.entries[id] else { return nil }
            entry.runs = (entry.runs + runs).sorted { $0.first < $1.first }
            entry.attempts += attempts
            for run in runs { entry.record.counts[run.outcome] += run.count }
            entry.record.startedAt = entry.record.startedAt ?? entry.record.createdAt
            if entry.record.counts.finished == entry.record.total {
                entry.record.phase = entry.record.phase == .cancelling ? .cancelled : .completed
                entry.record.finishedAt = entry.record.createdAt.advanced(bySeconds: 1)
            }
            state.entries[id] = entry
            return entry.record.isFinished ? entry.record : nil
        }
        if let finished { observer.withLock { $0 }?([.finished(finished)]) }
    }

    /// Adds to what is stored of a batch, without telling anybody.
    func change(_ id: BatchID, _ body: (inout Entry) -> Void) {
        state.withLock { state in
            guard var entry = state.entries[id] else { return }
            body(&entry)
            state.entries[id] = entry
        }
    }

    func submit(_ batch: NewBatch, completion: @escaping StoreCompletion<BatchRecord>) {
        writer.submit { [self] in
            state.wait { $0.isHeld ? .sleep(until: nil) : .done(()) }
            let record = BatchRecord(
                id: batch.id, handler: batch.handler, options: batch.options, total: batch.total,
                sharedBytes: batch.shared?.count, createdAt: batch.createdAt)
            let (error, work) = state.withLock { state in
                if state.submitError == nil {
                    state.entries[batch.id] = Entry(record: record, segments: batch.segments, shared: batch.shared)
                    state.order.append(batch.id)
                }
                return (state.submitError, state.work)
            }
            if let error {
                completion(.failure(error))
                return
            }
            state.notifyAll()
            observer.withLock { $0 }?([.submitted(record)])
            completion(.success(record))
            if let work { self.record(work(batch), of: batch.id) }
        }
    }

    func requestCancel(_ batch: BatchID, completion: @escaping StoreCompletion<BatchRecord?>) {
        writer.submit { [self] in
            let (record, error) = state.withLock { state in
                if let record = state.entries[batch]?.record, !record.isFinished {
                    state.entries[batch]?.record.phase = .cancelling
                }
                return (state.entries[batch]?.record, state.submitError)
            }
            completion(error.map { .failure($0) } ?? .success(record))
            observer.withLock { $0 }?([.cancelRequested(batch)])
        }
    }

    func batch(_ id: BatchID) throws(StoreError) -> BatchRecord? { try read()[id]?.record }

    func batches(_ filter: BatchFilter, before: BatchID?, limit: Int) throws(StoreError) -> BatchPage {
        let all = try read().values.map(\.record).sorted { $0.id > $1.id }.filter { record in
            (before.map { record.id < $0 } ?? true) && (filter.handler.map { record.handler == $0 } ?? true)
                && (filter.queue.map { record.options.queue == $0 } ?? true)
                && (filter.phases.isEmpty || filter.phases.contains(record.phase))
        }
        return BatchPage(batches: Array(all.prefix(limit)), next: all.count > limit ? all[limit - 1].id : nil)
    }

    func job(_ id: JobID) throws(StoreError) -> JobRecord? {
        guard let entry = try read()[id.batch], id.index < entry.record.total,
            let segment = entry.segments.first(where: { $0.range.contains(id.index) })
        else { return nil }
        let payload = CommaSeparated.slice(segment.input[...], dropping: id.index - segment.first, taking: 1)
        let run = entry.runs.first { $0.range.contains(id.index) }
        let body = run.flatMap { run in
            run.body.isEmpty
                ? nil : Array(CommaSeparated.slice(run.body[...], dropping: id.index - run.first, taking: 1))
        }
        return JobRecord(
            id: id, batch: entry.record, payload: Array(payload), outcome: run?.outcome, body: body,
            attempts: entry.attempts.filter { $0.index == id.index }, logs: entry.logs.filter { $0.index == id.index })
    }

    func results(of batch: BatchID, from first: Int, maximumBytes: Int) throws(StoreError) -> [OutcomeRun] {
        var bytes = 0
        var runs: [OutcomeRun] = []
        for run in try read()[batch]?.runs ?? [] where run.range.upperBound > first {
            if !runs.isEmpty && bytes >= maximumBytes { break }
            runs.append(run)
            bytes += run.body.count
        }
        return runs
    }

    func failedIndices(of batch: BatchID, limit: Int) throws(StoreError) -> [Int] {
        let failed = try read()[batch]?.runs.filter { $0.outcome == .failed } ?? []
        return Array(failed.flatMap { Array($0.range) }.prefix(limit))
    }

    func changeQueue(_ name: String, _ change: QueueChange, completion: @escaping StoreCompletion<QueueRecord>) {
        writer.submit { [self] in
            let (record, error) = state.withLock { state in
                let record = QueueRecord(
                    name: name, settings: change.applied(to: state.queues[name] ?? QueueSettings()))
                if state.submitError == nil { state.queues[name] = record.settings }
                return (record, state.submitError)
            }
            completion(error.map { .failure($0) } ?? .success(record))
        }
    }

    func queue(_ name: String) throws(StoreError) -> QueueOverview {
        let batches = try read().values.map(\.record).filter { !$0.isFinished && $0.options.queue == name }
        let settings = state.withLock { $0.queues[name] } ?? QueueSettings()
        return QueueOverview(
            record: QueueRecord(name: name, settings: settings),
            backlog: QueueBacklog(
                batches: batches.count, jobs: batches.reduce(0) { $0 + $1.total - $1.counts.finished }))
    }

    func queues(after: String?, limit: Int) throws(StoreError) -> [QueueOverview] {
        let unfinished = try read().values.filter { !$0.record.isFinished }.map(\.record.options.queue)
        let names = Set(unfinished + state.withLock { Array($0.queues.keys) } + [QueueSettings.defaultName])
        var overviews: [QueueOverview] = []
        for name in names.sorted().filter({ $0 > after ?? "" }).prefix(limit) { overviews.append(try queue(name)) }
        return overviews
    }

    private func read() throws(StoreError) -> [BatchID: Entry] {
        let (entries, error) = state.withLock { state in
            state.reads += 1
            return (state.entries, state.readError)
        }
        state.notifyAll()
        if let error { throw error }
        return entries
    }
}

extension OutcomeRun {
    static func succeeded(_ first: Int, _ results: [String]) -> OutcomeRun {
        OutcomeRun(
            first: first, count: results.count, outcome: .succeeded, body: Array(results.joined(separator: ",").utf8))
    }

    static func failed(_ index: Int, _ message: String) -> OutcomeRun {
        OutcomeRun(
            first: index, count: 1, outcome: .failed, body: Failure(kind: .exception, message: message).json)
    }

    static func cancelled(_ range: Range<Int>) -> OutcomeRun {
        OutcomeRun(first: range.lowerBound, count: range.count, outcome: .cancelled, body: [])
    }
}
