import JobModel
package import Platform

extension PoolState {
    private static let allowanceInterval = TimeSpan.milliseconds(2000)
    /// How long a worker that was told to end may take to.
    private static let farewell = TimeSpan.milliseconds(1000)

    /// Workers that take a slot.
    var living: Int { workers.values.count { !$0.isDismissed && !$0.isProbe } }

    /// Sets the number of slots for good. Workers that are too many end when they have nothing to do.
    package mutating func resize(to count: Int, now: MonotonicTime) -> [Action] {
        followsAllowance = false
        return resized(to: count, now)
    }

    /// So many processors may be used.
    package mutating func allowed(_ count: Int, now: MonotonicTime) -> [Action] {
        followsAllowance ? resized(to: count, now) : []
    }

    private mutating func resized(to count: Int, _ now: MonotonicTime) -> [Action] {
        guard max(1, count) != slots, !isStopping else { return [] }
        slots = max(1, count)
        return announceSlots() + shed(now) + supply(now)
    }

    /// Lets workers end that are too many and have nothing to do.
    mutating func shed(except place: Int? = nil, _ now: MonotonicTime) -> [Action] {
        var actions: [Action] = []
        while living > slots, let victim = longestIdle(except: place) { actions += dismiss(victim, now) }
        return actions
    }

    /// Whether it is time to look for a change of what the system allows.
    mutating func lookAtAllowance(_ now: MonotonicTime) -> [Action] {
        guard followsAllowance, nextAllowanceLook <= now else { return [] }
        nextAllowanceLook = now + PoolState.allowanceInterval
        return [.readAllowance]
    }

    // MARK: Who gets a slot

    /// Asks for the workers that are missing: for chunks that wait, the longest first; beside the slots, to find out whether a
    /// runtime has recovered or can take over; and for the slots that are left, of the runtime that was used last.
    mutating func supply(_ now: MonotonicTime) -> [Action] {
        guard !isStopping else { return [] }
        var actions: [Action] = []
        let inNeed = runtimes.indices.filter { !runtimes[$0].waiting.isEmpty }
            .sorted { runtimes[$0].waiting[0].number < runtimes[$1].waiting[0].number }
        for place in inNeed {
            // Workers are idle beside what waits only if that is, or waits for, a solitary chunk.
            let missing = runtimes[place].waiting.count - runtimes[place].idle.count - starting(place)
            for _ in 0..<max(0, missing) where mayFork(place, now) { actions += forkInRoom(place, now) }
        }
        for place in runtimes.indices where runtimes[place].unhealthy != nil && starting(place) == 0 {
            if mayFork(place, now) { actions.append(fork(place, now, isProbe: true)) }
        }
        for place in runtimes.indices where !runtimes[place].claims.isEmpty && runtimes[place].failure == nil {
            if starting(place) == 0, mayFork(place, now) { actions.append(fork(place, now, isProbe: true)) }
        }
        while living < slots, mayFork(preferred, now) { actions.append(fork(preferred, now)) }
        return actions
    }

    /// Workers that will be ready for a chunk.
    func starting(_ place: Int) -> Int {
        workers.values.count { $0.runtime == place && !$0.isReady && $0.isUsable }
    }

    private mutating func mayFork(_ place: Int, _ now: MonotonicTime) -> Bool {
        guard runtimes[place].isReady, runtimes[place].role != .retired else { return false }
        guard runtimes[place].nextFork <= now else {
            arm(runtimes[place].nextFork)
            return false
        }
        // Nobody knows how long the step will take, or whether it succeeds: one is enough to find out.
        if !runtimes[place].isProven && starting(place) > 0 { return false }
        return workers.values.count { $0.runtime == place && $0.processID == nil } < PoolState.forksAtOnce
    }

    /// Forks into a free slot, or into that of an idle worker of another runtime.
    private mutating func forkInRoom(_ place: Int, _ now: MonotonicTime) -> [Action] {
        var actions: [Action] = []
        while living >= slots, let victim = longestIdle(except: place) { actions += dismiss(victim, now) }
        return living < slots ? actions + [fork(place, now)] : actions
    }

    private mutating func fork(_ place: Int, _ now: MonotonicTime, isProbe: Bool = false) -> Action {
        lastWorker += 1
        var worker = Worker(runtime: place, askedAt: now, answerBy: now + PoolState.patience)
        worker.isProbe = isProbe
        workers[lastWorker] = worker
        arm(now + PoolState.patience)
        return .fork(worker: lastWorker, runtime: place)
    }

    private func longestIdle(except place: Int? = nil) -> UInt32? {
        let candidates = runtimes.indices.filter { $0 != place }.compactMap { runtimes[$0].idle.first }
        return candidates.min { idleSince($0) < idleSince($1) }
    }

    /// With the number, so that the choice is always the same.
    private func idleSince(_ number: UInt32) -> (Int64, UInt32) {
        (workers[number]?.since.nanoseconds ?? 0, number)
    }

    /// Lets a worker without work end.
    mutating func dismiss(_ number: UInt32, _ now: MonotonicTime) -> [Action] {
        forgetIdle(number)
        workers[number]?.isDismissed = true
        workers[number]?.since = now
        workers[number]?.endsBy = now + PoolState.farewell
        arm(now + PoolState.farewell)
        return [.dismiss(worker: number)]
    }

    // MARK: Recycling

    /// Whether the pool wants to know how much memory the worker holds when its chunk is completed.
    package func needsSize(of number: UInt32) -> Bool {
        guard let handler = workers[number]?.work?.chunk.handler else { return false }
        return profiles[handler]?.recycling.residentBytes != nil
    }

    /// Whether a fresh worker has to take its place, by the rules of the handler that it has run.
    func isWorn(_ worker: Worker, after handler: String, _ residentBytes: Int64?, _ now: MonotonicTime) -> Bool {
        guard let policy = profiles[handler]?.recycling else { return false }
        if let jobs = policy.jobs, worker.jobs >= jobs { return true }
        if let age = policy.age, (now - worker.askedAt).seconds >= age { return true }
        if let limit = policy.residentBytes, let residentBytes, residentBytes > limit { return true }
        return false
    }
}
