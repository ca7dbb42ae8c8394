import Glibc
package import JobModel
package import Platform
package import WorkerKit

/// Decides everything about the pool: which worker does what, who is due to be killed, what is to be forked.
///
/// It is told what happened and what time it is, and answers with actions. It makes no system call.
package struct PoolState {
    package enum Action: Hashable, Sendable {
        case spawnZygote
        case fork(worker: UInt32)
        case send(worker: UInt32, Chunk)
        /// Signal the worker's process group.
        case kill(process: Int32, signal: Int32)
        /// Read on the worker's page what runs, and call `observed`.
        case inspect(worker: UInt32)
        /// The worker is dead: hand on the outcomes it left behind and call `collected`.
        case collect(worker: UInt32, Chunk?)
        /// Give back everything that belongs to the worker. An orphan's zygote is gone: it is for this process to reap.
        case drop(worker: UInt32, orphan: Int32?)
        case emit(ChunkEvent)
        /// The alarm was moved forward: the pool's thread must not sleep beyond it.
        case wake
    }

    /// What a dead worker left of its chunk.
    package struct Remains: Hashable, Sendable {
        /// Jobs whose outcomes are known.
        package var finished: Int
        /// When the job behind them was started; nil if none was running.
        package var runningSince: MonotonicTime?

        package init(finished: Int, runningSince: MonotonicTime?) {
            self.finished = finished
            self.runningSince = runningSince
        }
    }

    enum KillReason: Hashable {
        case cancelled
        case stopped
        case timeout(position: Int)
        /// It did not begin with its chunk.
        case unresponsive
        case violation(String)
    }

    struct Work {
        let chunk: Chunk
        let assignedAt: MonotonicTime
        /// When the running job may be over its time-out: the earliest such moment.
        var deadline: MonotonicTime?
        /// Whether the worker was found without a running job at the last deadline.
        var wasFoundIdle = false
    }

    struct Worker {
        /// nil until the zygote has said that it is forked.
        var processID: Int32?
        var work: Work?
        var hasBegunWork = false
        var killReason: KillReason?
        /// When SIGKILL follows SIGTERM.
        var graceEnds: MonotonicTime?
        /// The socket has ended; how long to wait for the zygote's word on why.
        var statusExpected: MonotonicTime?
        var exit: ProcessExit?
        /// Its zygote is gone: the kernel kills it, and nobody says how it ended.
        var isOrphan = false

        var isUsable: Bool { killReason == nil && statusExpected == nil && exit == nil }
    }

    private enum Phase: Equatable {
        case down(until: MonotonicTime)
        case starting
        case ready
        case stopping
    }

    /// What the coarse clock of a job's start can be behind.
    private static let tick = TimeSpan.milliseconds(10)
    /// How long a worker may take at least to begin with a chunk.
    private static let patience = TimeSpan.milliseconds(5000)
    private static let statusWait = TimeSpan.milliseconds(1000)
    private static let forksAtOnce = 16

    package let slots: Int
    private let gracePeriod: TimeSpan

    private var phase: Phase
    private var workers: [UInt32: Worker] = [:]
    private var idle: [UInt32] = []
    private var waiting: [Chunk] = []
    private var lastNumber: UInt32 = 0
    private var zygoteBackoff = Backoff()
    private var forkBackoff = Backoff()
    private var nextFork: MonotonicTime
    /// No deadline is earlier than this one; it may be too early, but never too late.
    package private(set) var alarm: MonotonicTime?

    package init(slots: Int, gracePeriod: TimeSpan, now: MonotonicTime) {
        self.slots = slots
        self.gracePeriod = gracePeriod
        phase = .down(until: now)
        nextFork = now
        alarm = now
    }

    /// How many chunks can run at once now.
    package var availableSlots: Int { phase == .ready ? slots : 0 }
    /// Whether no worker holds a chunk.
    package var isQuiet: Bool { workers.values.allSatisfy { $0.work == nil } }

    package func chunk(of worker: UInt32) -> Chunk? { workers[worker]?.work?.chunk }

    // MARK: Chunks

    package mutating func run(_ chunk: Chunk, now: MonotonicTime) -> [Action] {
        if phase == .stopping { return [.emit(.ended(chunk: chunk.id, .returned))] }
        waiting.append(chunk)
        return assign(now)
    }

    package mutating func cancel(_ chunk: UInt64, now: MonotonicTime) -> [Action] {
        if let index = waiting.firstIndex(where: { $0.id == chunk }) {
            waiting.remove(at: index)
            return [.emit(.ended(chunk: chunk, .returned))]
        }
        guard let number = workers.first(where: { $0.value.work?.chunk.id == chunk })?.key else { return [] }
        return end(number, .cancelled, now)
    }

    /// The worker has delivered all outcomes of its chunk.
    package mutating func completed(_ number: UInt32, busy: Double, now: MonotonicTime) -> [Action] {
        guard var worker = workers[number], let work = worker.work else { return [] }
        worker.work = nil
        worker.hasBegunWork = true
        worker.graceEnds = nil
        zygoteBackoff.succeeded()
        forkBackoff.succeeded()
        let kill = worker.killReason == nil ? [] : killAction(worker, SIGKILL)
        workers[number] = worker
        if worker.isUsable { idle.append(number) }
        // The worker first: it need not wait for those who hear of its chunk.
        return assign(now) + kill + [.emit(.ended(chunk: work.chunk.id, .completed(busy: busy)))]
    }

    // MARK: The clock

    /// What is due now. Afterwards `alarm` says when to call again.
    package mutating func tick(now: MonotonicTime) -> [Action] {
        guard let due = alarm, due <= now else { return [] }
        var actions: [Action] = []
        if case .down(let until) = phase, until <= now {
            phase = .starting
            actions.append(.spawnZygote)
        }
        for (number, worker) in workers {
            if let ends = worker.graceEnds, ends <= now {
                workers[number]?.graceEnds = nil
                actions += killAction(worker, SIGKILL)
            }
            if let expected = worker.statusExpected, expected <= now {
                workers[number]?.statusExpected = now + PoolState.statusWait
                actions.append(.collect(worker: number, worker.work?.chunk))
            }
            if let deadline = worker.work?.deadline, deadline <= now {
                workers[number]?.work?.deadline = nil
                if worker.killReason == nil { actions.append(.inspect(worker: number)) }
            }
        }
        actions += fork(now)
        alarm = earliestDeadline(after: now)
        return actions
    }

    /// What the page says after `inspect`.
    package mutating func observed(
        _ number: UInt32, _ running: SharedPage.RunningJob?, now: MonotonicTime
    ) -> [Action] {
        guard let work = workers[number]?.work, let seconds = work.chunk.timeout else { return [] }
        let timeout = TimeSpan(seconds: seconds)
        if let running, running.chunk == work.chunk.id {
            // The page is not trusted to have started a job in the future.
            let due = min(running.startedAt, now) + timeout + PoolState.tick
            if due <= now { return end(number, .timeout(position: running.position), now) }
            workers[number]?.work?.wasFoundIdle = false
            setDeadline(due, of: number)
        } else if work.wasFoundIdle {
            return end(number, .unresponsive, now)
        } else {
            workers[number]?.work?.wasFoundIdle = true
            setDeadline(now + max(timeout, PoolState.patience), of: number)
        }
        return []
    }

    // MARK: Workers

    package mutating func forked(_ number: UInt32, process: Int32, now: MonotonicTime) -> [Action] {
        guard var worker = workers[number] else { return [] }
        worker.processID = process
        workers[number] = worker
        if worker.statusExpected != nil || worker.killReason != nil { return killAction(worker, SIGKILL) }
        idle.append(number)
        return assign(now) + fork(now)
    }

    package mutating func forkFailed(_ number: UInt32, now: MonotonicTime) -> [Action] {
        guard workers.removeValue(forKey: number) != nil else { return [] }
        delayForks(now)
        return [.drop(worker: number, orphan: nil)] + fork(now)
    }

    /// The worker's socket has ended: it is dead, or of no use any more.
    package mutating func socketEnded(_ number: UInt32, now: MonotonicTime) -> [Action] {
        guard var worker = workers[number] else { return [] }
        idle.removeAll { $0 == number }
        if worker.isOrphan {
            workers[number]?.statusExpected = now
            return killAction(worker, SIGKILL) + [.collect(worker: number, worker.work?.chunk)]
        }
        guard worker.statusExpected == nil else { return [] }
        worker.statusExpected = now + PoolState.statusWait
        workers[number] = worker
        arm(now + PoolState.statusWait)
        return killAction(worker, SIGKILL)
    }

    /// The zygote has reaped a worker.
    package mutating func exited(_ exit: ProcessExit, now: MonotonicTime) -> [Action] {
        guard let number = workers.first(where: { $0.value.processID == exit.processID })?.key else { return [] }
        workers[number]?.exit = exit
        idle.removeAll { $0 == number }
        return [.collect(worker: number, workers[number]?.work?.chunk)]
    }

    /// The worker has sent what it could not have sent in good health.
    package mutating func violated(_ number: UInt32, _ violation: ProtocolViolation, now: MonotonicTime) -> [Action] {
        end(number, .violation(violation.description), now)
    }

    /// The outcomes that a dead worker left were handed on.
    /// - Parameter remains: nil if it had no chunk.
    package mutating func collected(_ number: UInt32, _ remains: Remains?, now: MonotonicTime) -> [Action] {
        guard let worker = workers.removeValue(forKey: number) else { return [] }
        idle.removeAll { $0 == number }
        var actions: [Action] = [.drop(worker: number, orphan: worker.isOrphan ? worker.processID : nil)]
        let diedEarly = !worker.hasBegunWork && remains?.runningSince == nil
        if diedEarly && worker.killReason == nil && !worker.isOrphan { delayForks(now) }
        if let work = worker.work, let remains {
            let end = worker.verdict(on: work, remains, now: now)
            actions.append(.emit(.ended(chunk: work.chunk.id, end)))
        }
        return actions + fork(now)
    }

    // MARK: The zygote

    package mutating func zygoteReady(now: MonotonicTime) -> [Action] {
        guard phase == .starting else { return [] }
        phase = .ready
        return [.emit(.slots(slots))] + fork(now)
    }

    /// The zygote is dead or could not be started; the kernel kills its workers.
    package mutating func zygoteEnded(now: MonotonicTime) -> [Action] {
        guard phase != .stopping else { return [] }
        var actions: [Action] = phase == .ready ? [.emit(.slots(0))] : []
        let until = now + zygoteBackoff.failed()
        phase = .down(until: until)
        arm(until)
        idle = []
        for chunk in waiting { actions.append(.emit(.ended(chunk: chunk.id, .returned))) }
        waiting = []
        for (number, worker) in workers {
            workers[number]?.isOrphan = true
            if worker.processID == nil || worker.statusExpected != nil {
                actions.append(.collect(worker: number, worker.work?.chunk))
            } else {
                // The end of its socket will say that it is dead.
                workers[number]?.statusExpected = now + PoolState.statusWait
                actions += killAction(worker, SIGKILL)
            }
        }
        arm(now + PoolState.statusWait)
        return actions
    }

    /// No more work: what waits goes back, what runs is killed.
    package mutating func stop(now: MonotonicTime) -> [Action] {
        guard phase != .stopping else { return [] }
        phase = .stopping
        let returned = waiting.map { Action.emit(.ended(chunk: $0.id, .returned)) }
        waiting = []
        return returned + workers.filter { $0.value.work != nil }.keys.flatMap { end($0, .stopped, now) }
    }

    // MARK: Inside

    /// Hands waiting chunks to idle workers.
    private mutating func assign(_ now: MonotonicTime) -> [Action] {
        var actions: [Action] = []
        while !waiting.isEmpty, let number = idle.popLast() {
            let chunk = waiting.removeFirst()
            workers[number]?.work = Work(chunk: chunk, assignedAt: now)
            actions.append(.send(worker: number, chunk))
            if let timeout = chunk.timeout {
                let wakes = setDeadline(now + TimeSpan(seconds: timeout) + PoolState.tick, of: number)
                if wakes { actions.append(.wake) }
            }
        }
        return actions
    }

    /// Kills a worker, gently first if its chunk was cancelled. The first reason stays.
    private mutating func end(_ number: UInt32, _ reason: KillReason, _ now: MonotonicTime) -> [Action] {
        guard var worker = workers[number] else { return [] }
        idle.removeAll { $0 == number }
        defer { workers[number] = worker }
        if worker.killReason == nil { worker.killReason = reason } else if reason == .cancelled { return [] }
        guard reason == .cancelled else { return killAction(worker, SIGKILL) }
        worker.graceEnds = now + gracePeriod
        arm(now + gracePeriod)
        return killAction(worker, SIGTERM)
    }

    /// Nothing for a worker that is reaped: its number may be somebody else's by now.
    private func killAction(_ worker: Worker, _ signal: Int32) -> [Action] {
        guard let process = worker.processID, worker.exit == nil else { return [] }
        return [.kill(process: process, signal: signal)]
    }

    /// Asks for the workers that are missing.
    private mutating func fork(_ now: MonotonicTime) -> [Action] {
        guard phase == .ready, workers.count < slots else { return [] }
        guard nextFork <= now else {
            arm(nextFork)
            return []
        }
        let forking = workers.values.count { $0.processID == nil }
        return (0..<max(0, min(slots - workers.count, PoolState.forksAtOnce - forking))).map { _ in
            lastNumber += 1
            workers[lastNumber] = Worker()
            return .fork(worker: lastNumber)
        }
    }

    private mutating func delayForks(_ now: MonotonicTime) { nextFork = now + forkBackoff.failed() }

    /// - Returns: whether the alarm was moved forward.
    @discardableResult
    private mutating func setDeadline(_ deadline: MonotonicTime, of number: UInt32) -> Bool {
        workers[number]?.work?.deadline = deadline
        return arm(deadline)
    }

    @discardableResult
    private mutating func arm(_ time: MonotonicTime) -> Bool {
        if let alarm, alarm <= time { return false }
        alarm = time
        return true
    }

    private func earliestDeadline(after now: MonotonicTime) -> MonotonicTime? {
        var times = workers.values.flatMap { [$0.graceEnds, $0.statusExpected, $0.work?.deadline].compactMap { $0 } }
        if case .down(let until) = phase { times.append(until) }
        if phase == .ready && workers.count < slots && nextFork > now { times.append(nextFork) }
        return times.min()
    }
}
