import Glibc
package import JobModel
package import Platform

/// Decides everything about the pool: which worker does what, who is due to be killed, what is to be forked.
///
/// It is told what happened and what time it is, and answers with actions. It makes no system call. Each part of it has a
/// file of its own: chunks, workers, runtimes, the sharing of slots, and watching.
package struct PoolState {
    /// What the coarse clock of a job's start can be behind.
    static let tick = TimeSpan.milliseconds(10)
    /// How long a zygote may take to answer, and a worker to begin with a chunk.
    static let patience = TimeSpan.milliseconds(5000)
    /// What a job that is to end gets when the service cannot wait for it any longer.
    static let moment = TimeSpan.milliseconds(200)
    static let statusWait = TimeSpan.milliseconds(1000)
    static let forksAtOnce = 16

    /// How many workers may live at once, over all runtimes. Those that were told to end and have nothing to do do not
    /// count: their successors are forked as they go.
    package internal(set) var slots: Int
    let gracePeriod: TimeSpan
    /// Whether `slots` follows what the system allows.
    var followsAllowance: Bool
    var nextAllowanceLook: MonotonicTime

    var runtimes: [Runtime]
    /// The runtime that serves a handler.
    var places: [String: Int]
    var profiles: [String: HandlerProfile]
    /// What was last said of the handlers that cannot run.
    var toldUnhealthy: [String: Unhealthy] = [:]
    var workers: [UInt32: Worker] = [:]
    var lastWorker: UInt32 = 0
    var lastWaiting: UInt64 = 0
    /// The runtime whose workers fill slots that nobody asks for: the one that was used last.
    var preferred = 0
    var isStopping = false
    /// What was last said about slots.
    var announcedSlots = 0
    /// No deadline is earlier than this one; it may be too early, but never too late.
    package internal(set) var alarm: MonotonicTime?

    /// - Parameter runtimes: at least one. The workers of the first are forked in advance.
    package init(
        slots: Int, runtimes: [RuntimeRules], gracePeriod: TimeSpan, followsAllowance: Bool = false, now: MonotonicTime
    ) {
        precondition(!runtimes.isEmpty, "a pool has a runtime")
        self.slots = max(1, slots)
        self.gracePeriod = gracePeriod
        self.followsAllowance = followsAllowance
        nextAllowanceLook = now
        self.runtimes = runtimes.map { Runtime($0, now: now) }
        var places: [String: Int] = [:]
        var profiles: [String: HandlerProfile] = [:]
        for (index, runtime) in runtimes.enumerated() {
            for profile in runtime.handlers where places[profile.name] == nil {
                places[profile.name] = index
                profiles[profile.name] = profile
            }
        }
        self.places = places
        self.profiles = profiles
        alarm = now
    }

    // MARK: Questions

    /// How many chunks can run at once now.
    package var availableSlots: Int {
        !isStopping && runtimes.contains { $0.role == .inForce && $0.isReady } ? slots : 0
    }
    /// Whether no worker holds a chunk.
    package var isQuiet: Bool { workers.values.allSatisfy { $0.work == nil } }

    /// Whether a runtime's zygote has prepared its handlers.
    package func isPrepared(_ place: Int) -> Bool { runtimes[place].isReady }

    /// What its zygote, or its killer, has said about why it is not prepared.
    func failure(of place: Int) -> String? { runtimes[place].failure }

    package func chunk(of worker: UInt32) -> Chunk? { workers[worker]?.work?.chunk }

    /// The worker's process, as long as its number cannot mean another one.
    package func process(of worker: UInt32) -> Int32? {
        workers[worker].flatMap { $0.isSignalled ? $0.processID : nil }
    }

    /// Whether the worker is still to be forked.
    package func isForking(_ worker: UInt32) -> Bool {
        guard let worker = workers[worker] else { return false }
        return worker.processID == nil && worker.isUsable
    }

    // MARK: The clock

    /// What is due now. Afterwards `alarm` says when to call again.
    package mutating func tick(now: MonotonicTime) -> [Action] {
        guard let due = alarm, due <= now else { return [] }
        var actions: [Action] = []
        for runtime in runtimes.indices { actions += tickSolitude(runtime, now) + tickRuntime(runtime, now) }
        for number in workers.keys.sorted() { actions += tickWorker(number, now) }
        alarm = (runtimes.flatMap(\.deadlines) + workers.values.flatMap(\.deadlines)).min()
        return actions + supply(now)
    }

    private mutating func tickWorker(_ number: UInt32, _ now: MonotonicTime) -> [Action] {
        guard let worker = workers[number] else { return [] }
        var actions: [Action] = []
        if let ends = worker.graceEnds, ends <= now {
            workers[number]?.graceEnds = nil
            workers[number]?.endsBy = now + PoolState.patience
            actions += kill(number, SIGKILL)
        }
        if let ends = worker.endsBy, ends <= now {
            workers[number]?.endsBy = nil
            workers[number]?.statusExpected = now + PoolState.statusWait
            actions += kill(number, SIGKILL)
        }
        if let expected = worker.statusExpected, expected <= now {
            workers[number]?.statusExpected = now + PoolState.statusWait
            actions.append(.collect(worker: number, worker.work?.chunk))
        }
        guard worker.killReason == nil, worker.exit == nil else { return actions }
        switch worker.stage {
        case .forking(let until) where until <= now:
            // Its zygote is replaced, and with it all that it has not answered for.
            workers[number]?.stage = .forking(until: now + PoolState.patience)
            actions += giveUpZygote(
                worker.runtime, "the zygote did not answer for \(Int(PoolState.patience.seconds)) s")
        case .preparing(let until) where until <= now:
            let limit = Verdict.number(runtimes[worker.runtime].preparationTimeout.seconds)
            actions += stepFailed(number, "a worker was not ready within \(limit) s", now: now)
        case .preparing:
            if let slowAt = worker.slowAt, slowAt <= now { actions += stepIsSlow(number, now) }
        case .forking, .ready:
            break
        }
        return actions + watch(number, now)
    }

    // MARK: Inside

    /// - Returns: whether the alarm was moved forward.
    @discardableResult
    mutating func arm(_ time: MonotonicTime) -> Bool {
        if let alarm, alarm <= time { return false }
        alarm = time
        return true
    }

    /// Says how many chunks can run if that has changed.
    mutating func announceSlots() -> [Action] {
        guard announcedSlots != availableSlots else { return [] }
        announcedSlots = availableSlots
        return [.emit(.slots(announcedSlots))]
    }
}
