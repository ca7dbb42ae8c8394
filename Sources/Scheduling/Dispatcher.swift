package import JobModel
package import JobStore
package import Logging
package import Platform
import Synchronization

/// Hands out the store's work and records what becomes of it.
///
/// Its thread does everything that takes long; it sleeps until there is news of the store or of a chunk, or until a retry is due.
/// What takes little is done by the thread that brings the news.
/// The store is the truth: after a restart the same work is found there again.
package final class Dispatcher: Service {
    package typealias Store = WorkReading & OutcomeRecording

    package let name = "dispatcher"

    let store: any Store
    private let runner: Mutex<(any ChunkRunner)?>
    private let course = Mutex(Course())
    let clock: SchedulingClock
    private let onFatal: @Sendable (StoreError) -> Void
    let logger: Logger

    private let inbox = TurnInbox<Message>()
    let state: Mutex<ScheduleState>
    /// Apart from the state, as it is asked for with every submission.
    let unhealthyHandlers = Mutex<[String: Unhealthy]>([:])
    let progress = Monitor(Progress())
    private let thread = Mutex<OwnedThread?>(nil)

    enum Message: Sendable {
        case changes([StoreChange])
        case event(ChunkEvent)
        /// - recordings: how many were written.
        case written(UInt64, Result<Void, StoreError>, recordings: Int)
        case handlers([HandlerProfile], then: @Sendable () -> Void)
        case drain
        case abortAll

        /// Who waits for a drain is told even after a halt.
        var isDrain: Bool { if case .drain = self { true } else { false } }

        /// Whether it takes so little that whoever brings it can see to it. Errors are for the dispatcher's own thread.
        var isLight: Bool {
            switch self {
            case .changes(let changes): changes.count <= Message.lightCount
            case .written(_, .success, let recordings): recordings <= Message.lightCount
            case .event: true
            case .written(_, .failure, _), .handlers, .drain, .abortAll: false
            }
        }

        private static let lightCount = 4
    }

    /// Of a drain, for the thread that waits for its end.
    struct Progress: Sendable {
        var isDraining = false
        /// Whether it came to its end; nil while it goes on.
        var isComplete: Bool?
    }

    /// Belongs to whoever has the turn.
    struct Course: Sendable {
        /// The store failed or is closed: nothing more can be done.
        var isHalted = false
        var observer: (any LiveObserver)?
        var hasReportedFullStore = false
        /// The runner was told to pause.
        var isPaused = false

        var isWatched: Bool { observer?.isWatching ?? false }

        /// Hands an event to whoever watches.
        func tell(_ event: LiveEvent) {
            if let observer, observer.isWatching { observer.observe(event) }
        }
    }

    /// - Parameters:
    ///   - runner: may also be given with `use(_:)` before the start.
    ///   - handlers: batches of others are left in the store. Their names are unique.
    ///   - onFatal: called once, on the dispatcher's thread, if the store has failed: the service must stop and start anew.
    package init(
        store: any Store, runner: (any ChunkRunner)? = nil, clock: SchedulingClock = .system,
        handlers: [HandlerProfile], limits: ScheduleLimits = ScheduleLimits(), logger: Logger,
        onFatal: @escaping @Sendable (StoreError) -> Void
    ) {
        self.store = store
        self.runner = Mutex(runner)
        self.clock = clock
        self.onFatal = onFatal
        self.logger = logger
        state = Mutex(ScheduleState(handlers: handlers, slots: 0, limits: limits))
    }

    /// Says who runs the chunks. Only before `start`.
    package func use(_ runner: any ChunkRunner) { self.runner.withLock { $0 = runner } }

    /// Registers these handlers instead of those that are. Batches of one that is gone wait until it comes back; chunks that run go
    /// on. One that was not registered before is handed out when `handle` has heard how it is.
    /// - Parameter then: tells the runner; called on the dispatcher's thread when nothing is handed out any more that is gone, unless
    ///   the dispatcher has stopped. So the runner is never given what it does not know.
    package func setHandlers(_ handlers: [HandlerProfile], then: @escaping @Sendable () -> Void) {
        post(.handlers(handlers, then: then))
    }

    /// Says who hears of jobs that run. Only before `start`.
    package func report(to observer: any LiveObserver) { course.withLock { $0.observer = observer } }

    // MARK: Service

    /// Finds out where there is work left, and begins to hand it out.
    package func start() throws {
        guard let runner = runner.withLock({ $0 }) else { preconditionFailure("the dispatcher has no runner") }
        let queues = try store.queueSettings()
        let lanes = try store.unfinishedLanes()
        state.withLock { state in
            state.planner.slots = runner.slots
            for queue in queues { state.configure(queue) }
            state.recover(lanes: lanes)
        }
        let thread = try OwnedThread(name: name) { [self] in run(runner) }
        self.thread.withLock { $0 = thread }
    }

    /// Ends the thread at once. What runs and what is not recorded is done again after the next start; call `drain` first.
    package func stop() {
        inbox.stop()
        thread.withLock { $0 }?.join()
    }

    /// Hands out no more chunks and waits until all that run have ended and all outcomes are committed. Chunks that still run when
    /// `grace` has passed are aborted; their jobs lose no attempt. Not from the dispatcher's own thread.
    /// - Parameter cleanup: how long to wait after that, as a full store might take nothing for ever.
    /// - Returns: whether everything had ended before `grace` had passed.
    package func drain(grace: TimeSpan, cleanup: TimeSpan = TimeSpan(seconds: 15)) -> Bool {
        post(.drain)
        if let isComplete = waitForDrain(grace) { return isComplete }
        post(.abortAll)
        if waitForDrain(cleanup) != true { logger.error("shutting down with outcomes that are not recorded") }
        return false
    }

    // MARK: News, from any thread

    package func storeDidCommit(_ changes: [StoreChange]) { post(.changes(changes)) }

    package func handle(_ event: ChunkEvent) { post(.event(event)) }

    // MARK: Turns

    private func post(_ message: Message) {
        guard inbox.put(message, isLight: message.isLight) else { return }
        guard let runner = runner.withLock({ $0 }) else { preconditionFailure("the dispatcher has no runner") }
        let isWorkLeft = takeTurn([message], runner, mayRead: false)
        inbox.endTurn(due: nextDue, isWorkLeft: isWorkLeft)
    }

    private func run(_ runner: any ChunkRunner) {
        var messages: [Message] = []
        repeat {
            _ = takeTurn(messages, runner, mayRead: true)
            messages.removeAll(keepingCapacity: messages.capacity <= 4096)
        } while inbox.receive(&messages, due: nextDue, now: { clock.now().monotonic })
    }

    /// Nothing is done any more after a halt, so that what is due stays due.
    private var nextDue: MonotonicTime? {
        course.withLock { $0.isHalted } ? nil : state.withLock { $0.nextDue }
    }

    /// - Parameter mayRead: whether the store may be read, which takes as long as it takes.
    /// - Returns: whether something must be read before all is done.
    private func takeTurn(_ messages: [Message], _ runner: any ChunkRunner, mayRead: Bool) -> Bool {
        var course = course.withLock { $0 }
        for message in messages where !course.isHalted || message.isDrain { take(message, runner, &course) }
        let isDone = course.isHalted || act(runner, &course, mayRead: mayRead)
        holdBack(runner, &course)
        reportProgress(course)
        self.course.withLock { [course] in $0 = course }
        return !isDone
    }

    /// Does all that can be done now. False: something must be read first, and may not.
    private func act(_ runner: any ChunkRunner, _ course: inout Course, mayRead: Bool) -> Bool {
        let now = clock.now()
        state.withLock { state in
            state.fireRetries(at: now.monotonic)
            state.endGathering(at: now.monotonic)
            state.recordDueLogs(at: now)
        }
        do throws(StoreError) {
            repeat {
                write(at: now)
                guard try handOut(to: runner, course, mayRead: mayRead) else { return false }
                if !mayRead { return state.withLock { $0.nextPage() == nil } }
            } while try readPage(at: now)
        } catch {
            halt(error, &course)
        }
        return true
    }

    private func write(at now: Moment) {
        while let ticket = state.withLock({ $0.writes.next(at: now.monotonic) }) {
            switch ticket.write {
            case .record(let group):
                let count = group.recordings.count
                store.record(group.recordings) { [weak self] result in
                    self?.post(.written(ticket.number, result, recordings: count))
                }
            case .cancelPending(let order):
                store.cancelPending(of: order.batch, except: order.running, at: order.time) { [weak self] result in
                    self?.post(.written(ticket.number, result, recordings: 1))
                }
            }
        }
    }

    /// False: something must be read first, and may not.
    private func handOut(to runner: any ChunkRunner, _ course: Course, mayRead: Bool) throws(StoreError) -> Bool {
        while true {
            switch state.withLock({ $0.next(at: clock.now()) }) {
            case .run(let chunk):
                runner.run(chunk)
                if course.isWatched { course.tell(.changed(chunk.parts.map(\.batch))) }
            case .load where !mayRead, .loadShared where !mayRead:
                // What has been taken for the chunk must not wait: messages that come first would not know of it.
                if let chunk = state.withLock({ $0.closeDraft(at: clock.now()) }) {
                    runner.run(chunk)
                    if course.isWatched { course.tell(.changed(chunk.parts.map(\.batch))) }
                }
                return false
            case .loadShared(let batch):
                guard let value = try store.sharedValue(of: batch) else {
                    throw .unusable("the value that \(batch) shares with its jobs is missing")
                }
                state.withLock { $0.supply(SharedValue(batch: batch, bytes: value)) }
            case .load(let request):
                let segments = try store.segments(
                    of: request.batch, covering: request.range, maximumBytes: request.maximumBytes)
                guard state.withLock({ $0.supply(segments, for: request) }) else {
                    throw .unusable(
                        "there is no payload for \(JobID(batch: request.batch, index: request.range.lowerBound))")
                }
            case .idle:
                return true
            }
        }
    }

    /// Reads one page of batches if there is room. False: there was nothing to read.
    private func readPage(at now: Moment) throws(StoreError) -> Bool {
        guard let request = state.withLock({ $0.nextPage() }) else { return false }
        let page = try store.unfinishedBatches(in: request.work, after: request.after, limit: request.limit)
        warn(of: state.withLock { $0.loaded(page, for: request, at: now) })
        return true
    }

    func warn(of unknownHandlers: [String: Int]) {
        for (handler, count) in unknownHandlers {
            logger.warning(
                "batches wait for a handler that is not registered here",
                metadata: ["handler": "\(handler)", "batches": "\(count)"])
        }
    }

    func halt(_ error: StoreError, _ course: inout Course) {
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
