import Glibc
import JobModel
import Platform
import Synchronization

/// A worker's connection to the server: its socket and its page, and what the running job says of itself through them.
///
/// The worker's main thread runs the jobs. A handler may use its context from any thread, so everything that is sent goes
/// through one lock; on the page, the counters belong to who holds that lock, and everything else to the main thread.
final class WorkerLink: @unchecked Sendable {
    // Safe to share for the reason above: `page` is the only part that is not Sendable by itself.
    let page: SharedPage
    private let socket: Int32
    /// The number of the job that runs; 0 between jobs. Whoever has another number has come too late.
    let running = Atomic<UInt64>(0)
    /// Whether there is something to send before the job's outcome.
    private let hasSigns = Atomic<Bool>(false)
    /// Whether there are additions to counters on the page.
    private let hasCounters = Atomic<Bool>(false)
    private let state = Mutex(State())
    /// Only for the main thread.
    private var ownWake: EventSignal?

    private struct State {
        var counters = CounterTable()
        var progress = ProgressGate()
        var log = LogGate()
        /// Lines that were held back and not told of; the same number stands on the page.
        var held: (job: JobReference, count: Int)?
    }

    /// - Parameter socket: a blocking stream socket, open as long as this lives.
    init(page: consuming SharedPage, socket: Int32) {
        self.page = page
        self.socket = socket
        self.page.restartCounters(sequence: 1)
    }

    // MARK: The main thread's side. Everything throws when the server is gone.

    /// Wakes the main thread while it waits for a job that runs on other threads. Made when it is first needed.
    func wake() throws(SystemError) -> EventSignal {
        if let ownWake { return ownWake }
        let signal = try EventSignal()
        ownWake = signal
        return signal
    }

    /// Sends a frame in two pieces, which nothing comes between.
    func send(_ head: borrowing [UInt8], _ body: borrowing [UInt8] = []) throws(SystemError) {
        try state.withLock { (_) throws(SystemError) in try transfer(head, body) }
    }

    /// Throws if the socket was closed, or is something else by now.
    func checkSocket() throws(SystemError) {
        guard SocketTransfer.isStream(socket) else {
            throw SystemError("the handler has closed the worker's connection", code: EBADF)
        }
    }

    /// Sends what the job that has just ended said last. Call it after `running` was set to 0.
    func sendSigns() throws(SystemError) {
        guard hasSigns.load(ordering: .acquiring) else { return }
        try withState { (state) throws(SystemError) in
            hasSigns.store(false, ordering: .relaxed)
            if let (job, progress) = state.progress.takePending() { try transfer(job.frame(of: progress)) }
            try sendHeld(&state)
        }
    }

    /// Sends the additions to counters.
    func sendCounters() throws(SystemError) {
        guard hasCounters.load(ordering: .acquiring) else { return }
        try withState { (state) throws(SystemError) in try sendCounters(&state) }
    }

    /// Sends the last frames of a chunk. What a thread of the handler says from then on is not heard any more.
    func end(_ frames: borrowing [UInt8]) throws(SystemError) {
        try withState { (state) throws(SystemError) in
            try sendCounters(&state)
            state.progress = ProgressGate()
            try sendHeld(&state)
            hasSigns.store(false, ordering: .relaxed)
            try transfer(frames)
        }
    }

    // MARK: The handler's side, on any thread

    func add(_ amount: Int64, to name: String, _ job: JobReference) {
        speak(job) { (state) throws(SystemError) in
            if state.counters.owner.map({ !$0.isSamePart(as: job) }) ?? false { try sendCounters(&state) }
            let now = MonotonicTime.lastTick()
            guard let change = state.counters.add(amount, to: name, job, now) else {
                return try log(.warning, "the counter \(name) is left out: \(CounterTable.rule)", job, &state)
            }
            switch change {
            case .new(let index): page.addCounter(name, amount: amount, at: index, position: job.part.position)
            case .sum(let index, let sum): page.setCounter(sum, at: index)
            }
            hasCounters.store(true, ordering: .releasing)
            if state.counters.areOld(now) { try sendCounters(&state) }
        }
    }

    func report(_ progress: JobProgress, _ job: JobReference) {
        speak(job) { (state) throws(SystemError) in
            if state.progress.lets(progress, job, .lastTick()) {
                try transfer(job.frame(of: progress))
            } else {
                hasSigns.store(true, ordering: .releasing)
            }
        }
    }

    func log(_ level: LogLine.Source, _ text: String, _ job: JobReference) {
        speak(job) { (state) throws(SystemError) in try log(level, text, job, &state) }
    }

    private func log(_ level: LogLine.Source, _ text: String, _ job: JobReference, _ state: inout State)
        throws(SystemError)
    {
        for line in text.split(whereSeparator: \.isNewline) {
            if state.log.lets(.lastTick()) {
                try sendHeld(&state)
                try transfer(job.frame(of: level, String(line)))
            } else {
                try hold(job, &state)
            }
        }
    }

    /// A line is not sent.
    private func hold(_ job: JobReference, _ state: inout State) throws(SystemError) {
        if let held = state.held, held.job.number != job.number { try sendHeld(&state) }
        let count = (state.held?.count ?? 0) + 1
        state.held = (job, count)
        page.hold(lines: count, position: job.position)
        hasSigns.store(true, ordering: .releasing)
    }

    /// Does something for the job if it still runs.
    private func speak(_ job: JobReference, _ body: (inout State) throws(SystemError) -> Void) {
        guard running.load(ordering: .acquiring) == job.number, !ForkedCopies.isCopy else { return }
        state.withLock { state in
            // The job may have ended meanwhile; from now on the main thread has to wait for the lock.
            guard running.load(ordering: .acquiring) == job.number else { return }
            // A server that is gone is noticed by the main thread, which sends the job's outcome.
            try? body(&state)
        }
    }

    // MARK: With the lock held

    private func withState(_ body: (inout State) throws(SystemError) -> Void) throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in try body(&state) }
    }

    private func sendHeld(_ state: inout State) throws(SystemError) {
        guard let (job, count) = state.held else { return }
        state.held = nil
        // First, so that the server never finds what it was told of.
        page.hold(lines: 0, position: 0)
        try transfer(job.frame(ofDropped: count))
    }

    private func sendCounters(_ state: inout State) throws(SystemError) {
        guard let frame = state.counters.frame else { return }
        try transfer(frame)
        state.counters.clear(.lastTick())
        page.restartCounters(sequence: state.counters.sequence)
        hasCounters.store(false, ordering: .relaxed)
    }

    private func transfer(_ head: borrowing [UInt8], _ body: borrowing [UInt8] = []) throws(SystemError) {
        let socket = socket
        try head.span.withUnsafeBytes { (head) throws(SystemError) in
            try body.span.withUnsafeBytes { (body) throws(SystemError) in
                try SocketTransfer.sendAll(socket, head, body)
            }
        }
    }
}
