import Glibc
import JobModel
package import Platform
package import WorkerKit

extension PoolState {
    /// A preparation that takes longer keeps its handlers' chunks out of the pool, where they would take others' slots.
    static let slow = TimeSpan.milliseconds(1000)
    /// No worker's own step holds a slot for longer, whatever is usual.
    static let longestStep = TimeSpan(seconds: 10)
    /// What clients are told at least.
    private static let shortestRetry = TimeSpan.milliseconds(1000)

    mutating func tickRuntime(_ place: Int, _ now: MonotonicTime) -> [Action] {
        guard !isStopping else { return [] }
        switch runtimes[place].phase {
        case .down(let until) where until <= now:
            let end = now + runtimes[place].preparationTimeout
            runtimes[place].phase = .starting(until: end)
            // Of one that is prepared beside others nobody expects anything yet.
            runtimes[place].slowAt = runtimes[place].role == .beside ? nil : now + PoolState.slow
            runtimes[place].failure = nil
            runtimes[place].reasons = [:]
            arm(min(end, now + PoolState.slow))
            return [.spawnZygote(runtime: place)]
        case .starting(let until):
            var actions: [Action] = []
            if let slowAt = runtimes[place].slowAt, slowAt <= now {
                runtimes[place].slowAt = nil
                // What was wrong before is known better.
                if runtimes[place].unhealthy == nil {
                    actions += declareUnhealthy(place, "the handler is being prepared", PoolState.shortestRetry)
                }
            }
            if until <= now {
                runtimes[place].phase = .starting(until: now + PoolState.patience)
                let limit = Verdict.number(runtimes[place].preparationTimeout.seconds)
                actions += giveUpZygote(place, "the preparation took longer than \(limit) s")
            }
            return actions
        case .ready:
            guard let retryAt = runtimes[place].retryAt, retryAt <= now else { return [] }
            return retryBroken(place, now)
        case .down, .ending, .ended:
            return []
        }
    }

    /// The handlers are prepared.
    /// - Parameter broken: handlers that cannot run all the same, and why.
    package mutating func zygoteReady(
        _ place: Int, _ broken: [UnusableHandler] = [], now: MonotonicTime
    ) -> [Action] {
        guard case .starting = runtimes[place].phase, !isStopping else { return [] }
        let known = broken.filter { runtimes[place].handlers.contains($0.name) }
        runtimes[place].reasons = Dictionary(known.map { ($0.name, $0.reason) }) { first, _ in first }
        if !known.isEmpty, runtimes[place].reasons.count == Set(runtimes[place].handlers).count {
            // Nothing of it can be used: it is tried again like a preparation that failed.
            return giveUpZygote(place, PoolState.sentence(known))
        }
        let served = served(by: place)
        var actions: [Action] = []
        if let loss = known.first(where: { wouldLose($0.name, to: place) }) {
            let problem = "\(loss.name) cannot run any more: \(loss.reason)"
            let isOfUse = served.contains { handler in !known.contains { $0.name == handler } }
            guard isOfUse else { return giveUpZygote(place, problem) }
            // It runs those that nobody else can run. All others stay where they are.
            actions += reportProblem(place, problem)
            dropClaims(place)
        }
        if runtimes[place].isRetry, !runtimes[place].claims.isEmpty, !served.isEmpty {
            // What it was tried for has not become better: those that work stay where they are.
            let still = known.filter { served.contains($0.name) }
            if still.count == served.count { return giveUpZygote(place, PoolState.sentence(still)) }
        }
        runtimes[place].phase = .ready
        runtimes[place].retryAt = nil
        runtimes[place].slowAt = nil
        runtimes[place].nextFork = now
        runtimes[place].broken = runtimes[place].reasons
        if runtimes[place].role == .beside { return supply(now) }
        planRetry(place, now)
        actions += recover(place) + announceSlots() + tellBroken(served, place)
        for handler in served where runtimes[place].broken[handler] != nil {
            let back = runtimes[place].waiting.filter { $0.chunk.handler == handler }
            runtimes[place].waiting.removeAll { $0.chunk.handler == handler }
            actions += back.map { .emit(.ended(chunk: $0.chunk.id, .returned)) }
        }
        return actions + tellLoaded(served, place) + supply(now)
    }

    private static func sentence(_ handlers: [UnusableHandler]) -> String {
        handlers.count == 1
            ? handlers[0].reason : handlers.map { "\($0.name): \($0.reason)" }.joined(separator: "; ")
    }

    /// The zygote has said why it cannot prepare the handlers; it ends.
    package mutating func preparationFailed(_ place: Int, _ reason: String) {
        runtimes[place].failure = reason
    }

    /// The zygote is dead or could not be started; the kernel kills its workers.
    /// - Parameter how: how it ended, as the end of a sentence about it.
    package mutating func zygoteEnded(_ place: Int, _ how: String, now: MonotonicTime) -> [Action] {
        guard !isStopping else { return [] }
        let wasGivenUp = runtimes[place].failure != nil
        var actions = runtimes[place].role == .inForce ? restart(place, how, now) : conclude(place, how)
        runtimes[place].idle = []
        for process in runtimes[place].unaccounted.sorted() { actions.append(.adopt(process: process)) }
        runtimes[place].unaccounted = []
        for number in workers.keys.sorted() where workers[number]?.runtime == place {
            workers[number]?.wasZygoteGivenUp = wasGivenUp
            actions += orphan(number, how, now)
        }
        arm(now + PoolState.statusWait)
        return actions
    }

    private mutating func restart(_ place: Int, _ how: String, _ now: MonotonicTime) -> [Action] {
        let wasReady = runtimes[place].isReady
        // A job that is charged for it says nothing about the zygote.
        let pause = isSolitaryJobToBlame(place) ? .zero : runtimes[place].zygoteBackoff.failed()
        runtimes[place].phase = .down(until: now + pause)
        arm(now + pause)
        var actions = announceSlots()
        if let failure = runtimes[place].failure {
            actions += declareUnhealthy(place, failure, pause)
        } else if !wasReady {
            actions += declareUnhealthy(place, "the preparation ended early: the zygote \(how)", pause)
        } else if pause > .zero {
            actions += declareUnhealthy(place, "the zygote ends again and again: it \(how)", pause)
        }
        if let reason = runtimes[place].unhealthy?.reason { actions += reportProblem(place, reason) }
        return actions
    }

    private mutating func orphan(_ number: UInt32, _ how: String, _ now: MonotonicTime) -> [Action] {
        guard let worker = workers[number], !worker.isOrphan, worker.exit == nil else { return [] }
        workers[number]?.zygoteEnd = how
        workers[number]?.since = now
        if worker.processID == nil || worker.statusExpected != nil {
            return [.collect(worker: number, worker.work?.chunk)]
        }
        // The end of its socket will say that it is dead.
        workers[number]?.statusExpected = now + PoolState.statusWait
        return kill(number, SIGKILL)
    }

    // MARK: Health

    /// Kills a zygote that is of no use.
    mutating func giveUpZygote(_ place: Int, _ reason: String) -> [Action] {
        if runtimes[place].failure == nil { runtimes[place].failure = reason }
        return [.killZygote(runtime: place)]
    }

    /// A worker of it did not come about: if it has no other, its handlers cannot run.
    mutating func suspect(_ place: Int, _ reason: String, _ now: MonotonicTime) -> [Action] {
        guard !hasReadyWorker(place), runtimes[place].isReady, !isStopping else { return [] }
        switch runtimes[place].role {
        case .inForce:
            arm(runtimes[place].nextFork)
            return declareUnhealthy(place, reason, runtimes[place].nextFork - now) + reportProblem(place, reason)
        case .beside: return giveUpZygote(place, reason)
        case .retired: return []
        }
    }

    /// The same where one failure may be bad luck.
    mutating func suspectIfRepeated(_ place: Int, _ reason: String, _ now: MonotonicTime) -> [Action] {
        runtimes[place].nextFork > now ? suspect(place, reason, now) : []
    }

    /// Whether a worker of it can run chunks, now or when it has done its own.
    func hasReadyWorker(_ place: Int) -> Bool {
        workers.values.contains { $0.runtime == place && $0.isReady && $0.isUsable }
    }

    /// Nothing has failed yet, but its handlers cannot run now.
    mutating func declareSlow(_ place: Int) -> [Action] {
        // What was wrong before is known better.
        if runtimes[place].unhealthy != nil { return returnWaiting(place) }
        return declareUnhealthy(
            place, "a worker is being prepared, which takes long", PoolState.shortestRetry, acceptsJobs: true)
    }

    private mutating func declareUnhealthy(
        _ place: Int, _ reason: String, _ pause: TimeSpan, acceptsJobs: Bool = false
    ) -> [Action] {
        let unhealthy = Unhealthy(
            reason: reason, retryAfter: max(pause, PoolState.shortestRetry).seconds, acceptsJobs: acceptsJobs)
        runtimes[place].unhealthy = unhealthy
        return tellUnhealthy(place) + returnWaiting(place)
    }

    /// Says of the handlers that a runtime serves why they cannot run: of each what is known of it.
    mutating func tellUnhealthy(_ place: Int) -> [Action] {
        guard let unhealthy = runtimes[place].unhealthy else { return [] }
        let (served, reasons) = (served(by: place), runtimes[place].reasons)
        var actions = tell(served.filter { reasons[$0] == nil }, unhealthy)
        for handler in served {
            guard let reason = reasons[handler] else { continue }
            actions += tell([handler], Unhealthy(reason: reason, retryAfter: unhealthy.retryAfter))
        }
        return actions
    }

    /// Its handlers can run again, but for those that are broken.
    mutating func recover(_ place: Int) -> [Action] {
        guard runtimes[place].role == .inForce else { return [] }
        runtimes[place].unhealthy = nil
        return tell(served(by: place).filter { runtimes[place].broken[$0] == nil }, nil)
    }

    mutating func tellBroken(_ handlers: [String], _ place: Int) -> [Action] {
        handlers.flatMap { handler -> [Action] in
            guard let reason = runtimes[place].broken[handler] else { return [] }
            return tell([handler], Unhealthy(reason: reason, retryAfter: Backoff.longest.seconds))
        }
    }

    /// Says that there are new handlers. Nothing is wrong with them as far as is known.
    mutating func introduce(_ handlers: [String]) -> [Action] {
        for handler in handlers { toldUnhealthy[handler] = nil }
        return handlers.isEmpty ? [] : [.emit(.health(handlers: handlers, nil))]
    }

    /// Says how handlers are, if that has changed.
    mutating func tell(_ handlers: [String], _ unhealthy: Unhealthy?) -> [Action] {
        let news = handlers.filter { toldUnhealthy[$0] != unhealthy }
        guard !news.isEmpty else { return [] }
        for handler in news { toldUnhealthy[handler] = unhealthy }
        return [.emit(.health(handlers: news, unhealthy))]
    }
}
