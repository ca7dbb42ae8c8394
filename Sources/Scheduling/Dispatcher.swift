package import JobModel
package import JobStore
package import Logging
package import Platform
import Synchronization

/// Hands out the store's work and records what becomes of it.
///
/// One thread does everything that takes long; it sleeps until there is news of the store or of a chunk, or until a retry is due.
/// The store is the truth: after a restart the same work is found there again.
package final class Dispatcher: Service {
    package typealias Store = WorkReading & OutcomeRecording

    package let name = "dispatcher"

    private let store: any Store
    private let runner: Mutex<(any ChunkRunner)?>
    private let clock: SchedulingClock
    private let onFatal: @Sendable (StoreError) -> Void
    private let logger: Logger

    private let inbox = Monitor(Inbox())
    private let state: Mutex<ScheduleState>
    private let progress = Monitor(Progress())
    private let thread = Mutex<OwnedThread?>(nil)

    private struct Inbox: Sendable {
        var messages: [Message] = []
        var isStopping = false
    }

    private enum Message: Sendable {
        case changes([StoreChange])
        case event(ChunkEvent)
        case written(UInt64, Result<Void, StoreError>)
        case drain
        case cancelAll

        /// Who waits for a drain is told even after a halt.
        var isDrain: Bool { if case .drain = self { true } else { false } }
    }

    /// Of a drain, for the thread that waits for its end.
    private struct Progress: Sendable {
        var isDraining = false
        /// Whether it came to its end; nil while it goes on.
        var isComplete: Bool?
    }

    /// What only the dispatcher's thread uses.
    private struct Course {
        /// The store failed or is closed: nothing more can be done.
        var isHalted = false
        var hasReportedFullStore = false
    }

    /// - Parameters:
    ///   - runner: may also be given with `use(_:)` before the start.
    ///   - knownHandlers: batches of other handlers are left in the store.
    ///   - onFatal: called once, on the dispatcher's thread, if the store has failed: the service must stop and start anew.
    package init(
        store: any Store, runner: (any ChunkRunner)? = nil, clock: SchedulingClock = .system,
        knownHandlers: Set<String>, limits: ScheduleLimits = ScheduleLimits(), logger: Logger,
        onFatal: @escaping @Sendable (StoreError) -> Void
    ) {
        self.store = store
        self.runner = Mutex(runner)
        self.clock = clock
        self.onFatal = onFatal
        self.logger = logger
        state = Mutex(ScheduleState(handlers: knownHandlers, slots: 0, limits: limits))
    }

    /// Says who runs the chunks. Only before `start`.
    package func use(_ runner: any ChunkRunner) { self.runner.withLock { $0 = runner } }

    // MARK: Service

    /// Finds out of which priorities there is work left, and begins to hand it out.
    package func start() throws {
        guard let runner = runner.withLock({ $0 }) else { preconditionFailure("the dispatcher has no runner") }
        let priorities = try store.unfinishedPriorities()
        state.withLock { state in
            state.planner.slots = runner.slots
            state.recover(priorities: priorities)
        }
        let thread = try OwnedThread(name: name) { [self] in run(runner) }
        self.thread.withLock { $0 = thread }
    }

    /// Ends the thread at once. What runs and what is not recorded is done again after the next start; call `drain` first.
    package func stop() {
        inbox.withLock { $0.isStopping = true }
        inbox.notify()
        thread.withLock { $0 }?.join()
    }

    /// Hands out no more chunks and waits until all that run have ended and all outcomes are committed. Chunks that still run when
    /// `grace` has passed are cancelled; their jobs lose no attempt. Not from the dispatcher's own thread.
    /// - Parameter cleanup: how long to wait after that, as a full store might take nothing for ever.
    /// - Returns: whether everything had ended before `grace` had passed.
    package func drain(grace: TimeSpan, cleanup: TimeSpan = TimeSpan(seconds: 15)) -> Bool {
        post(.drain)
        if let isComplete = waitForDrain(grace) { return isComplete }
        post(.cancelAll)
        if waitForDrain(cleanup) != true { logger.error("shutting down with outcomes that are not recorded") }
        return false
    }

    // MARK: News, from any thread

    package func storeDidCommit(_ changes: [StoreChange]) { post(.changes(changes)) }

    package func handle(_ event: ChunkEvent) { post(.event(event)) }

    // MARK: Questions, from any thread

    /// How many jobs of a batch are running. A job counts until its commit has been heard of: take the store's counts first, and
    /// no more than they leave open.
    package func running(in batch: BatchID) -> Int { state.withLock { $0.running(in: batch) } }

    package func isRunning(_ job: JobID) -> Bool { state.withLock { $0.isRunning(job) } }

    // MARK: The thread

    private func post(_ message: Message) {
        inbox.withLock { $0.messages.append(message) }
        inbox.notify()
    }

    private func run(_ runner: any ChunkRunner) {
        var course = Course()
        // Two arrays take turns, so that neither is allocated anew each time.
        var messages: [Message] = []
        repeat {
            for message in messages where !course.isHalted || message.isDrain { take(message, runner, &course) }
            messages.removeAll(keepingCapacity: messages.capacity <= 4096)
            if !course.isHalted { act(runner, &course) }
            reportProgress(course)
        } while receive(&messages, course)
    }

    /// Sleeps until there is something to do. False: the service stops.
    private func receive(_ messages: inout [Message], _ course: Course) -> Bool {
        // Nothing is done any more after a halt, so that what is due stays due.
        let due = course.isHalted ? nil : state.withLock { $0.nextDue }
        var received: [Message] = []
        swap(&received, &messages)
        let (isRunning, news) = inbox.wait { inbox -> Monitor<Inbox>.Step<(Bool, [Message])> in
            if inbox.isStopping { return .done((false, [])) }
            if !inbox.messages.isEmpty {
                swap(&inbox.messages, &received)
                return .done((true, received))
            }
            if let due, clock.now().monotonic >= due { return .done((true, [])) }
            return .sleep(until: due)
        }
        messages = news
        return isRunning
    }

    private func take(_ message: Message, _ runner: any ChunkRunner, _ course: inout Course) {
        let now = clock.now()
        switch message {
        case .changes(let changes):
            for change in changes { take(change, runner, at: now) }
        case .event(.slots(let slots)):
            state.withLock { $0.planner.slots = slots }
        case .event(.outcomes(let chunk, let position, let runs)):
            if !state.withLock({ $0.hear(of: chunk, position: position, runs: runs, at: now) }) {
                logger.error("outcomes that fit no running chunk", metadata: ["chunk": "\(chunk)"])
                runner.cancel(chunk)
            }
        case .event(.ended(let chunk, let end)):
            if !state.withLock({ $0.end(of: chunk, end, at: now) }) {
                logger.error(
                    "the end of a chunk that does not fit what was heard of it",
                    metadata: ["chunk": "\(chunk)"])
            }
        case .written(let ticket, .success):
            state.withLock { $0.committed(ticket) }
            if course.hasReportedFullStore {
                course.hasReportedFullStore = false
                logger.notice("the store takes outcomes again")
            }
        case .written(let ticket, .failure(.full(let detail))):
            state.withLock { $0.writes.refused(ticket, at: now.monotonic) }
            if !course.hasReportedFullStore {
                course.hasReportedFullStore = true
                logger.error("the store is full: outcomes wait, no work is started", metadata: ["detail": "\(detail)"])
            }
        case .written(_, .failure(let error)):
            halt(error, &course)
        case .drain:
            state.withLock { $0.isDraining = true }
            progress.withLock { $0.isDraining = true }
        case .cancelAll:
            for chunk in state.withLock({ Array($0.chunks.keys) }) { runner.cancel(chunk) }
        }
    }

    private func take(_ change: StoreChange, _ runner: any ChunkRunner, at now: Moment) {
        switch change {
        case .submitted(let record, let inputs):
            if !state.withLock({ $0.submitted(record, inputs: inputs) }) { warn(of: [record.handler: 1]) }
        case .cancelRequested(let batch):
            for chunk in state.withLock({ $0.cancel(batch, at: now) }) { runner.cancel(chunk) }
        case .finished, .deliveriesAdded:
            break
        }
    }

    /// Does all that can be done now.
    private func act(_ runner: any ChunkRunner, _ course: inout Course) {
        let now = clock.now()
        state.withLock { $0.fireRetries(at: now.monotonic) }
        do throws(StoreError) {
            repeat {
                write(at: now)
                try handOut(to: runner)
            } while try readPage(at: now)
        } catch {
            halt(error, &course)
        }
    }

    private func write(at now: Moment) {
        while let ticket = state.withLock({ $0.writes.next(at: now.monotonic) }) {
            let completion: StoreCompletion<Void> = { [weak self] result in
                self?.post(.written(ticket.number, result))
            }
            switch ticket.write {
            case .record(let group):
                store.record(group.recordings, completion: completion)
            case .cancelPending(let order):
                store.cancelPending(of: order.batch, except: order.running, at: order.time, completion: completion)
            }
        }
    }

    private func handOut(to runner: any ChunkRunner) throws(StoreError) {
        while true {
            switch state.withLock({ $0.next(at: clock.now()) }) {
            case .run(let chunk):
                runner.run(chunk)
            case .load(let request):
                let segments = try store.segments(
                    of: request.batch, covering: request.range, maximumBytes: request.maximumBytes)
                guard state.withLock({ $0.supply(segments, for: request) }) else {
                    throw .unusable(
                        "there is no payload for \(JobID(batch: request.batch, index: request.range.lowerBound))")
                }
            case .idle:
                return
            }
        }
    }

    /// Reads one page of batches if there is room. False: there was nothing to read.
    private func readPage(at now: Moment) throws(StoreError) -> Bool {
        guard let request = state.withLock({ $0.nextPage() }) else { return false }
        let page = try store.unfinishedBatches(priority: request.priority, after: request.after, limit: request.limit)
        warn(of: state.withLock { $0.loaded(page, for: request, at: now) })
        return true
    }

    private func warn(of unknownHandlers: [String: Int]) {
        for (handler, count) in unknownHandlers {
            logger.warning(
                "batches wait for a handler that is not registered here",
                metadata: ["handler": "\(handler)", "batches": "\(count)"])
        }
    }

    private func halt(_ error: StoreError, _ course: inout Course) {
        guard !course.isHalted else { return }
        course.isHalted = true
        if error == .closed { return }
        logger.critical("the scheduler stops", metadata: ["reason": "\(error)"])
        onFatal(error)
    }

    // MARK: Draining

    private func reportProgress(_ course: Course) {
        guard progress.withLock({ $0.isDraining }) else { return }
        let isComplete = state.withLock { $0.chunks.isEmpty && $0.writes.isEmpty }
        progress.withLock { $0.isComplete = isComplete ? true : course.isHalted ? false : nil }
        progress.notifyAll()
    }

    /// Nil if the time was too short.
    private func waitForDrain(_ time: TimeSpan) -> Bool? {
        let deadline = MonotonicTime.now() + time
        return progress.wait { progress -> Monitor<Progress>.Step<Bool?> in
            if let isComplete = progress.isComplete { return .done(isComplete) }
            return MonotonicTime.now() >= deadline ? .done(nil) : .sleep(until: deadline)
        }
    }
}
