import Glibc
package import JobModel
package import Platform

extension PoolState {
    package mutating func run(_ chunk: Chunk, now: MonotonicTime) -> [Action] {
        guard let place = places[chunk.handler] else { return turnAway(chunk) }
        guard !isStopping, runtimes[place].takes(chunk.handler) else {
            return [.emit(.ended(chunk: chunk.id, .returned))]
        }
        var chunk = chunk
        let limits = profiles[chunk.handler]?.limits ?? HandlerLimits()
        chunk.timeout = [chunk.timeout, limits.timeout].compactMap { $0 }.min()
        lastWaiting += 1
        runtimes[place].waiting.append(Runtime.Waiting(number: lastWaiting, chunk: chunk, limits: limits))
        preferred = place
        return assign(place, now) + supply(now) + lookAtAllowance(now)
    }

    /// - Parameter isUrgent: what runs gets no more than a moment between SIGTERM and SIGKILL.
    package mutating func cancel(_ chunk: UInt64, isUrgent: Bool = false, now: MonotonicTime) -> [Action] {
        if let place = takeWaiting(chunk) { return [.emit(.ended(chunk: chunk, .returned))] + assign(place, now) }
        guard let number = worker(with: chunk) else { return [] }
        return end(number, .cancelled, grace: isUrgent ? min(PoolState.moment, gracePeriod) : gracePeriod, now)
    }

    /// No further job of the chunk is to be started: what has not begun comes back when the running job has ended.
    package mutating func recall(_ chunk: UInt64, now: MonotonicTime) -> [Action] {
        if let place = takeWaiting(chunk) { return [.emit(.ended(chunk: chunk, .returned))] + assign(place, now) }
        guard let number = worker(with: chunk) else { return [] }
        return [.recall(worker: number, chunk: chunk)]
    }

    /// - Returns: where it has waited; nil: it did not.
    private mutating func takeWaiting(_ chunk: UInt64) -> Int? {
        for place in runtimes.indices {
            guard let index = runtimes[place].waiting.firstIndex(where: { $0.chunk.id == chunk }) else { continue }
            runtimes[place].waiting.remove(at: index)
            return place
        }
        return nil
    }

    private func worker(with chunk: UInt64) -> UInt32? { workers.first { $0.value.work?.chunk.id == chunk }?.key }

    /// The worker is done with its chunk, and has delivered all outcomes.
    /// - Parameters:
    ///   - finished: how many jobs of it have run; nil: all. Less only if it was recalled.
    ///   - residentBytes: how much memory it holds now, if `needsSize` asked for it.
    package mutating func completed(
        _ number: UInt32, finished: Int? = nil, busy: Double, residentBytes: Int64? = nil, now: MonotonicTime
    ) -> [Action] {
        guard var worker = workers[number], let work = worker.work else { return [] }
        let finished = finished ?? work.chunk.count
        worker.work = nil
        worker.jobs += finished
        worker.graceEnds = nil
        worker.since = now
        workers[number] = worker
        let place = worker.runtime
        runtimes[place].zygoteBackoff.succeeded()
        // Others that worked before say nothing about those that die.
        if worker.askedAt >= runtimes[place].lastForkFailure ?? worker.askedAt {
            runtimes[place].forkBackoff.succeeded()
        }
        var actions: [Action] = []
        if worker.killReason != nil {
            actions += kill(number, SIGKILL)
        } else if worker.isUsable {
            if living > slots || runtimes[place].role == .retired
                || isWorn(worker, after: work.chunk.handler, residentBytes, now)
            {
                actions += dismiss(number, now)
            } else {
                runtimes[place].idle.append(number)
            }
        }
        // The worker first: it need not wait for those who hear of its chunk.
        let end = finished < work.chunk.count ? ChunkEnd.returned : .completed(busy: busy)
        return assign(place, now) + actions + supply(now) + [.emit(.ended(chunk: work.chunk.id, end))]
    }

    /// No more work: what waits goes back, what runs is killed.
    package mutating func stop(now: MonotonicTime) -> [Action] {
        guard !isStopping else { return [] }
        isStopping = true
        var actions: [Action] = []
        for place in runtimes.indices { actions += returnWaiting(place) }
        for number in workers.keys.sorted() where workers[number]?.work != nil {
            actions += end(number, .stopped, now)
        }
        return actions
    }

    /// Hands waiting chunks to idle workers.
    mutating func assign(_ place: Int, _ now: MonotonicTime) -> [Action] {
        var actions: [Action] = []
        while let next = runtimes[place].waiting.first {
            guard mayBegin(next.chunk, place, now) else {
                // What waits for all that run does not wait for whole chunks.
                if next.chunk.isSolitary { actions += recallAll(of: place) }
                break
            }
            guard let number = runtimes[place].idle.popLast() else { break }
            runtimes[place].waiting.removeFirst()
            var work = Work(
                chunk: next.chunk, limits: next.limits, assignedAt: now,
                beginsBy: now + PoolState.patience + PoolState.transferTime(of: next.chunk),
                nextLook: now + PoolState.firstLook)
            work.isAlone = begin(next.chunk, number, place, now)
            work.deadline = next.chunk.timeout.map { now + TimeSpan(seconds: $0) + PoolState.tick }
            work.nextMeasure = next.limits.residentBytes.map { _ in now + PoolState.measureInterval }
            let sendsShared = workers[number]?.takeShared(next.chunk.shared) ?? false
            workers[number]?.work = work
            workers[number]?.since = now
            actions.append(
                .send(
                    worker: number,
                    Assignment(chunk: next.chunk, limits: next.limits, sendsShared: sendsShared)))
            let first = [work.deadline, work.nextLook, work.nextMeasure].compactMap { $0 }.min()
            if let first, arm(first) { actions.append(.wake) }
        }
        return actions
    }

    /// Gives back what waits for a worker.
    mutating func returnWaiting(_ place: Int) -> [Action] {
        defer { runtimes[place].waiting = [] }
        return runtimes[place].waiting.map { .emit(.ended(chunk: $0.chunk.id, .returned)) }
    }

    /// What a large chunk may need to reach its worker, at a mebibyte per second.
    private static func transferTime(of chunk: Chunk) -> TimeSpan {
        let bytes = chunk.parts.reduce(chunk.shared?.bytes.count ?? 0) { $0 + $1.input.count }
        return .milliseconds(Int64(bytes >> 10))
    }
}
