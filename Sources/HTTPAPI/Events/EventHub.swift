import JobModel
import JobStore
import Logging
package import Platform
import Synchronization

/// How events are served.
package struct EventSettings: Sendable {
    package var maximumStreams = 100
    /// Bytes that may wait for one client.
    package var bufferBytes = 256 << 10
    /// The shortest time between two `batch` events of the same batch.
    package var interval = TimeSpan.milliseconds(200)
    package var heartbeat = TimeSpan(seconds: 15)

    package init() {}
}

/// Tells everybody who listens what happens. While nobody does it costs next to nothing.
///
/// News comes on the threads of others and is handed on at once; how a batch stands is read from the store by the hub's own thread, for
/// all who listen together, so that nobody sees an older state behind a newer one.
final class EventHub: Service, StoreObserver, LiveObserver {
    private struct State {
        var streams = EventStreams()
        var lastStream: UInt64 = 0
        /// Batches to look at, in the order in which they changed.
        var changed: [BatchID] = []
        var changedSet: Set<BatchID> = []
        /// Batches that have ended, as they then were.
        var ended: [BatchRecord] = []
        /// How batches stood when that was told last.
        var told: [BatchID: Standing] = [:]
        /// Not before this the changed ones are looked at.
        var nextLook = MonotonicTime(nanoseconds: 0)
        var nextBeat = MonotonicTime(nanoseconds: 0)
        var isStopped = false
    }

    /// What a `batch` event tells.
    private struct Standing: Hashable {
        let counts: OutcomeCounts
        let counters: [String: Int64]
        let phase: BatchRecord.Phase
        let running: Int

        init(_ record: BatchRecord, running: Int) {
            counts = record.counts
            counters = record.counters
            phase = record.phase
            self.running = running
        }
    }

    private enum Work {
        case look([BatchID])
        case end([BatchRecord])
        case beat([EventStream])
        case stop
    }

    /// Looked at in one go; the others wait for the next one.
    private static let looksAtOnce = 256
    /// Noted. What is beyond is noted only if somebody listens to just this batch.
    private static let maximumNoted = 16_384

    let name = "events"
    private let store: any BatchReading
    private let live: any LiveState
    private let settings: EventSettings
    private let logger: Logger
    private let state = Monitor(State())
    private let thread = Mutex<OwnedThread?>(nil)
    private let listeners = Atomic(0)
    private let lastEvent = Atomic<UInt64>(0)

    init(_ configuration: APIConfiguration) {
        store = configuration.store
        live = configuration.live
        settings = configuration.events
        logger = configuration.logger
    }

    func start() throws {
        let owned = try OwnedThread(name: name) { [self] in run() }
        thread.withLock { $0 = owned }
    }

    /// Ends all streams.
    func stop() {
        let streams = state.withLock { state in
            state.isStopped = true
            return state.streams.all
        }
        state.notifyAll()
        for stream in streams { stream.end() }
        thread.withLock { $0 }?.join()
    }

    // MARK: Listening

    /// Nil if there are too many, or the hub has stopped.
    /// - Parameter batch: whose events are wanted, the first of which tells how it stands; nil: those of all batches.
    func open(_ batch: BatchID?) -> EventStream? {
        let stream = state.withLock { state -> EventStream? in
            guard !state.isStopped, state.streams.count < settings.maximumStreams else { return nil }
            state.lastStream += 1
            let stream = EventStream(number: state.lastStream, batch: batch, limit: settings.bufferBytes) {
                [weak self, number = state.lastStream] in self?.close(number, batch)
            }
            if state.streams.count == 0 { state.nextBeat = MonotonicTime.now() + settings.heartbeat }
            state.streams.add(stream)
            if let batch {
                // The others hear of it once more.
                state.told[batch] = nil
                EventHub.note(batch, in: &state)
                state.nextLook = MonotonicTime(nanoseconds: 0)
            }
            listeners.store(state.streams.count, ordering: .relaxed)
            return stream
        }
        if stream != nil { state.notify() }
        return stream
    }

    private func close(_ number: UInt64, _ batch: BatchID?) {
        state.withLock { state in
            state.streams.remove(number, of: batch)
            if state.streams.count == 0 { state.told = [:] }
            listeners.store(state.streams.count, ordering: .relaxed)
        }
    }

    // MARK: News

    var isWatching: Bool { listeners.load(ordering: .relaxed) > 0 }

    func observe(_ event: LiveEvent) {
        switch event {
        case .changed(let batches): note(batches)
        case .progress(let job, let progress):
            tell(job.batch, about: .progress(job)) { EventText.progress(progress, of: job, id: $0) }
        case .logged(let job, let attempt, let lines):
            for line in lines {
                tell(job.batch) { EventText.log(line, of: job, attempt: attempt, id: $0) }
            }
        case .dropped(let job, let attempt, let count):
            tell(job.batch, about: .dropped(job)) { EventText.dropped(count, of: job, attempt: attempt, id: $0) }
        }
    }

    func storeDidCommit(_ changes: [StoreChange]) {
        guard isWatching else { return }
        for change in changes {
            switch change {
            case .submitted(let record, _): note([record.id])
            case .cancelRequested(let batch): note([batch])
            case .finished(let record, _): noteEnd(record)
            case .queueChanged, .deliveriesAdded: break
            }
        }
    }

    private func note(_ batches: [BatchID]) {
        let isFirst = state.withLock { state in
            let wasEmpty = state.changed.isEmpty
            for batch in batches where state.streams.interest(in: batch) { EventHub.note(batch, in: &state) }
            return wasEmpty && !state.changed.isEmpty
        }
        if isFirst { state.notify() }
    }

    private static func note(_ batch: BatchID, in state: inout State) {
        guard state.changed.count < maximumNoted || !state.streams.ofBatch(batch).isEmpty,
            state.changedSet.insert(batch).inserted
        else { return }
        state.changed.append(batch)
    }

    private func noteEnd(_ record: BatchRecord) {
        let isNoted = state.withLock { state in
            guard state.streams.interest(in: record.id),
                state.ended.count < EventHub.maximumNoted || !state.streams.ofBatch(record.id).isEmpty
            else { return false }
            state.ended.append(record)
            return true
        }
        if isNoted { state.notify() }
    }

    /// Tells a batch's listeners; the text is made only if there are some.
    private func tell(
        _ batch: BatchID, about subject: EventQueue.Subject? = nil, _ text: (_ id: UInt64) -> [UInt8]
    ) {
        let streams = state.withLock { $0.streams.listening(to: batch) }
        guard !streams.isEmpty else { return }
        let event = text(nextID())
        for stream in streams { stream.push(event, about: subject) }
    }

    private func nextID() -> UInt64 { lastEvent.add(1, ordering: .relaxed).newValue }

    // MARK: The thread

    private func run() {
        while true {
            switch nextWork() {
            case .look(let batches): for batch in batches { look(at: batch) }
            case .end(let records): for record in records { finish(record) }
            case .beat(let streams): for stream in streams { stream.beat() }
            case .stop: return
            }
        }
    }

    private func nextWork() -> Work {
        state.wait { [settings] state in
            if state.isStopped { return .done(.stop) }
            if !state.ended.isEmpty {
                defer { state.ended = [] }
                return .done(.end(state.ended))
            }
            let now = MonotonicTime.now()
            if !state.changed.isEmpty, state.nextLook <= now {
                let batches = Array(state.changed.prefix(EventHub.looksAtOnce))
                state.changed.removeFirst(batches.count)
                state.changedSet.subtract(batches)
                state.nextLook = now + settings.interval
                return .done(.look(batches))
            }
            guard state.streams.count > 0 else { return .sleep(until: nil) }
            if state.nextBeat <= now {
                state.nextBeat = now + settings.heartbeat
                return .done(.beat(state.streams.all))
            }
            return .sleep(until: state.changed.isEmpty ? state.nextBeat : min(state.nextBeat, state.nextLook))
        }
    }

    private func look(at batch: BatchID) {
        do throws(StoreError) {
            guard let record = try store.batch(batch) else { return }
            if record.isFinished {
                // Whoever listened when it ended has heard of it; this is for those who came later.
                end(state.withLock { $0.streams.ofBatch(batch) }, with: finalEvents(of: record))
            } else {
                let running = live.running(in: batch)
                guard isNews(Standing(record, running: running), of: batch) else { return }
                tell(batch, about: .batch(batch)) { EventText.batch(record, running: running, id: $0) }
            }
        } catch {
            logger.error("a batch could not be read for its listeners", metadata: ["error": "\(error)"])
        }
    }

    /// Whether it was not told already.
    private func isNews(_ standing: Standing, of batch: BatchID) -> Bool {
        state.withLock { state in
            guard state.told[batch] != standing else { return false }
            if state.told.count >= EventHub.maximumNoted { state.told = [:] }
            state.told[batch] = standing
            return true
        }
    }

    private func finish(_ record: BatchRecord) {
        let (streams, everything) = state.withLock {
            $0.told[record.id] = nil
            return ($0.streams.ofBatch(record.id), $0.streams.listening(to: record.id))
        }
        guard !everything.isEmpty else { return }
        let events = finalEvents(of: record)
        end(streams, with: events)
        for stream in everything where stream.batch == nil { stream.push(events, about: .batch(record.id)) }
    }

    private func finalEvents(of record: BatchRecord) -> [UInt8] {
        EventText.batch(record, running: 0, id: nextID()) + EventText.completed(record)
    }

    /// A batch does not change any more after its end.
    private func end(_ streams: [EventStream], with events: [UInt8]) {
        for stream in streams {
            stream.push(events)
            stream.end()
        }
    }
}
