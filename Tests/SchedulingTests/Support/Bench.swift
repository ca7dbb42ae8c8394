import JobModel
import JobStore
import Platform
import Testing

@testable import Scheduling

/// Makes batches whose payloads are the jobs' own indices.
struct BatchMaker {
    private var number: UInt64 = 0

    mutating func batch(
        jobs: Int, handler: String = "work", options: BatchOptions = BatchOptions(), segment: Int = 1000
    ) -> NewBatch {
        number += 1
        return BatchMaker.batch(number: number, jobs: jobs, handler: handler, options: options, segment: segment)
    }

    static func batch(
        number: UInt64, jobs: Int, handler: String = "work", options: BatchOptions = BatchOptions(), segment: Int = 1000
    ) -> NewBatch {
        let segments = stride(from: 0, to: jobs, by: segment).map { first in
            let count = min(segment, jobs - first)
            return Segment(first: first, count: count, input: payload(first..<first + count))
        }
        return NewBatch(
            id: BatchID(ULID(high: 1, low: number)), handler: handler, options: options,
            createdAt: Timestamp(microseconds: 0), segments: segments)
    }

    static func payload(_ range: Range<Int>) -> [UInt8] {
        Array(range.map(String.init).joined(separator: ", ").utf8)
    }
}

/// The pure state with a store in memory and a clock that stands still.
struct Bench {
    var state: ScheduleState
    let store = TestStore()
    var maker = BatchMaker()
    var now = Moment(
        monotonic: MonotonicTime(nanoseconds: 1_000_000_000), wall: Timestamp(microseconds: 1_700_000_000_000_000))

    private let handlers: [HandlerProfile]

    init(slots: Int = 2, handlers: Set<String> = ["work", "other"], limits: ScheduleLimits = ScheduleLimits()) {
        self.init(slots: slots, profiles: handlers.map { HandlerProfile(name: $0) }, limits: limits)
    }

    init(slots: Int, profiles handlers: [HandlerProfile], limits: ScheduleLimits = ScheduleLimits()) {
        self.handlers = handlers
        state = ScheduleState(handlers: handlers, slots: slots, limits: limits)
    }

    @discardableResult
    mutating func submit(
        _ jobs: Int, handler: String = "work", options: BatchOptions = BatchOptions(), segment: Int = 1000,
        shared: String? = nil
    ) -> BatchID {
        var batch = maker.batch(jobs: jobs, handler: handler, options: options, segment: segment)
        batch.shared = shared.map { Array($0.utf8) }
        let record = store.submit(batch)
        _ = state.submitted(record)
        return record.id
    }

    /// Changes how a queue is served.
    mutating func configure(_ name: String, _ settings: QueueSettings) {
        let record = QueueRecord(name: name, settings: settings)
        store.configure(record)
        state.configure(record)
    }

    /// Makes known how long a handler's jobs take.
    mutating func learn(_ handler: String = "work", seconds: Double, jobs: Int = 8192) throws {
        let number = try #require(state.handlerNumbers[handler])
        state.speeds[number].measured(jobs: jobs, busy: seconds * Double(jobs))
    }

    /// The next chunk, with what it needs read from the store.
    mutating func next() throws -> Chunk? {
        while true {
            switch state.next(at: now) {
            case .run(let chunk):
                return chunk
            case .idle:
                return nil
            case .loadShared(let batch):
                let value = try store.sharedValue(of: batch)
                state.supply(SharedValue(batch: batch, bytes: try #require(value)))
            case .load(let request):
                let segments = try store.segments(
                    of: request.batch, covering: request.range, maximumBytes: request.maximumBytes)
                let isSupplied = state.supply(segments, for: request)
                #expect(isSupplied)
            }
        }
    }

    mutating func start(sourceLocation: SourceLocation = #_sourceLocation) throws -> Chunk {
        let chunk = try next()
        return try #require(chunk, sourceLocation: sourceLocation)
    }

    mutating func hear(
        of chunk: UInt64, position: Int, runs: [ChunkRun], at now: Moment,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let isUnderstood = state.hear(of: chunk, position: position, runs: runs, at: now)
        #expect(isUnderstood, sourceLocation: sourceLocation)
    }

    mutating func end(
        of chunk: UInt64, _ end: ChunkEnd, at now: Moment, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let isConsistent = state.end(of: chunk, end, at: now)
        #expect(isConsistent, sourceLocation: sourceLocation)
    }

    /// Every job of the chunk succeeds.
    mutating func complete(_ chunk: Chunk, secondsPerJob: Double = 0.001) {
        hear(of: chunk.id, position: 0, runs: chunk.successes, at: now)
        end(of: chunk.id, .completed(busy: secondsPerJob * Double(chunk.count)), at: now)
    }

    /// Tells the store all that is to be told.
    mutating func commit() {
        while let ticket = state.writes.next(at: now.monotonic) {
            let slot = ResultBox()
            switch ticket.write {
            case .record(let group):
                store.record(group.recordings) { slot.set($0) }
            case .cancelPending(let order):
                store.cancelPending(of: order.batch, except: order.running, at: order.time) { slot.set($0) }
            }
            switch slot.get() {
            case .success: state.committed(ticket.number)
            case .failure(.full): state.writes.refused(ticket.number, at: now.monotonic)
            case .failure(let error): Issue.record("\(error)")
            case nil: Issue.record("the store gave no answer")
            }
        }
    }

    /// Reads from the store all that there is room for.
    mutating func readPages() throws {
        while let request = state.nextPage() {
            let page = try store.unfinishedBatches(
                in: request.work, after: request.after, limit: request.limit)
            _ = state.loaded(page, for: request, at: now)
        }
    }

    /// A new state over the same store, as after a restart.
    mutating func restart() throws {
        state = ScheduleState(
            handlers: handlers, slots: state.planner.slots, limits: state.limits)
        for queue in try store.queueSettings() { state.configure(queue) }
        state.recover(lanes: try store.unfinishedLanes())
        try readPages()
    }

    mutating func advance(seconds: Double) {
        now.monotonic = now.monotonic + TimeSpan(seconds: seconds)
        now.wall = now.wall.advanced(bySeconds: seconds)
        state.fireRetries(at: now.monotonic)
        state.endGathering(at: now.monotonic)
    }

    /// Runs everything that can run now to its good end.
    mutating func runAll() throws {
        while let chunk = try next() {
            complete(chunk)
            commit()
        }
    }
}

extension Chunk {
    /// One run for each part; each job's result is its index.
    var successes: [ChunkRun] {
        parts.map { .succeeded(count: $0.count, body: Chunk.results($0.range)) }
    }

    static func results(_ range: Range<Int>) -> [UInt8] { Array(range.map(String.init).joined(separator: ",").utf8) }

    /// Batch and indices of its parts.
    var contents: [String] { parts.map { "\($0.batch.ulid.low):\($0.range.lowerBound)..<\($0.range.upperBound)" } }

    /// Whether each part carries the payloads of its jobs.
    var hasRightInputs: Bool {
        parts.allSatisfy { part in
            let values = String(decoding: part.input, as: UTF8.self).split(separator: ",")
                .map { Int($0.drop { $0 == " " }) }
            return values == part.range.map(Optional.some)
        }
    }
}

extension Chunk.Part {
    var range: Range<Int> { first..<first + count }
}

extension Failure {
    static let exception = Failure(kind: .exception, message: "no")
    static let crash = Failure(
        kind: .signal, message: "crashed", death: DeathCertificate(processID: 7, signal: "SIGSEGV", wallSeconds: 0.5))
}

extension BatchOptions {
    static func tries(_ number: Int, rest: Double = 1) -> BatchOptions {
        BatchOptions(
            retries: RetryPolicy(
                maximumAttempts: number, backoff: Backoff(initial: rest, factor: 2, maximum: 300, jitter: 0)))
    }

    static func chunks(_ size: ChunkSize) -> BatchOptions { BatchOptions(chunkSize: size) }
}
