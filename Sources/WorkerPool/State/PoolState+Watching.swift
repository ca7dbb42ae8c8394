import JobModel
package import Platform
package import WorkerKit

extension PoolState {
    /// A job that runs for so long is looked at, and its chunk's outcomes so far are handed on.
    package static let firstLook = TimeSpan.milliseconds(100)
    private static let lookInterval = TimeSpan.milliseconds(250)
    static let measureInterval = TimeSpan.milliseconds(25)
    /// A worker that is seen stopped for so long does not go on by itself.
    private static let suspension = TimeSpan.milliseconds(1000)

    /// What there is to look at.
    mutating func watch(_ number: UInt32, _ now: MonotonicTime) -> [Action] {
        guard let work = workers[number]?.work else { return [] }
        var actions: [Action] = []
        if let measure = work.nextMeasure, measure <= now {
            workers[number]?.work?.nextMeasure = now + PoolState.measureInterval
            actions.append(.measure(worker: number))
        }
        if min(work.deadline ?? work.nextLook, work.nextLook) <= now {
            workers[number]?.work?.nextLook = now + PoolState.lookInterval
            // Whoever looks sets the next one.
            if let deadline = work.deadline, deadline <= now { workers[number]?.work?.deadline = nil }
            actions.append(.inspect(worker: number))
        }
        return actions
    }

    /// What was seen after `inspect`.
    package mutating func observed(_ number: UInt32, _ sight: Sight, now: MonotonicTime) -> [Action] {
        guard let worker = workers[number], worker.killReason == nil, let work = worker.work else { return [] }
        if sight.isSuspended {
            let since = work.suspendedSince ?? now
            workers[number]?.work?.suspendedSince = since
            if now - since >= PoolState.suspension { return end(number, .suspended, now) }
        } else {
            workers[number]?.work?.suspendedSince = nil
        }
        if !sight.hasBegun && work.beginsBy <= now { return end(number, .unresponsive, now) }
        // A job whose outcome is known does not run any more, whatever the page says.
        let running = sight.running.flatMap {
            $0.chunk == work.chunk.id && $0.position >= sight.finished ? $0 : nil
        }
        if running == nil && sight.hasBegun && !sight.isHeldUp {
            let since = work.stall.flatMap { $0.finished == sight.finished ? $0.since : nil } ?? now
            workers[number]?.work?.stall = (since, sight.finished)
            if now - since >= work.patience { return end(number, .stalled, now) }
        } else {
            workers[number]?.work?.stall = nil
        }
        guard let seconds = work.chunk.timeout else { return [] }
        // The page is not trusted to have started a job in the future. Where none runs, one may start now.
        let start = running.map { min($0.startedAt, now) } ?? now
        let due = start + TimeSpan(seconds: seconds) + PoolState.tick
        if let running, due <= now { return end(number, .timeout(position: running.position), now) }
        workers[number]?.work?.deadline = due
        arm(due)
        return []
    }

    /// What was seen after `measure`.
    /// - Parameter running: what the page says.
    package mutating func measured(
        _ number: UInt32, residentBytes: Int64, _ running: SharedPage.RunningJob?, now: MonotonicTime
    ) -> [Action] {
        guard let worker = workers[number], worker.killReason == nil, let work = worker.work,
            let limit = work.limits.residentBytes, residentBytes > limit,
            // Between two jobs nobody would have to answer for it, and the same chunk would come back for ever.
            let running, running.chunk == work.chunk.id
        else { return [] }
        return end(number, .memoryLimit(bytes: residentBytes), now)
    }
}
