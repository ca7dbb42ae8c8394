import JobModel
import Platform

// A job that may be what kills its zygote shows it by running alone. That costs all others of the runtime, so it is tried for a short
// time only: a solitary chunk waits for those that run, and keeps others waiting, for `solitude` each. Then it runs beside them like any
// other, and answers for nothing.
extension PoolState {
    static let solitude = TimeSpan(seconds: 10)

    /// What a runtime grants to a solitary chunk.
    struct Solitude {
        /// The first in line waits for those that run.
        var isAwaitedUntil: MonotonicTime?
        /// It has waited long enough and begins beside others.
        var isGivenUp = false
        /// The worker whose chunk began alone; perhaps it has ended meanwhile.
        var worker: UInt32?
        /// No other begins before.
        var isExclusiveUntil: MonotonicTime?
    }

    /// Whether the first in line may begin, if a worker is idle.
    mutating func mayBegin(_ chunk: Chunk, _ place: Int, _ now: MonotonicTime) -> Bool {
        if chunk.isSolitary {
            guard isBusy(place), !runtimes[place].solitude.isGivenUp else { return true }
            if runtimes[place].solitude.isAwaitedUntil == nil {
                runtimes[place].solitude.isAwaitedUntil = now + PoolState.solitude
                arm(now + PoolState.solitude)
            }
            return false
        }
        // A solitary chunk that was first in line may have been called back.
        runtimes[place].solitude.isAwaitedUntil = nil
        runtimes[place].solitude.isGivenUp = false
        guard let alone = runtimes[place].solitude.worker else { return true }
        guard workers[alone]?.work?.isAlone == true else {
            runtimes[place].solitude = Solitude()
            return true
        }
        return runtimes[place].solitude.isExclusiveUntil == nil
    }

    /// To be called when a chunk begins. Returns whether it is solitary, and alone.
    mutating func begin(_ chunk: Chunk, _ number: UInt32, _ place: Int, _ now: MonotonicTime) -> Bool {
        let isAlone = chunk.isSolitary && !isBusy(place)
        if let other = runtimes[place].solitude.worker { workers[other]?.work?.isAlone = false }
        if isAlone {
            runtimes[place].solitude = Solitude(worker: number, isExclusiveUntil: now + PoolState.solitude)
            arm(now + PoolState.solitude)
        } else if chunk.isSolitary || runtimes[place].solitude.worker != nil {
            runtimes[place].solitude = Solitude()
        }
        return isAlone
    }

    /// Whether a job is running alone, which a death of the zygote is charged to.
    func isSolitaryJobToBlame(_ place: Int) -> Bool {
        runtimes[place].solitude.worker.flatMap { workers[$0]?.work?.isAlone } ?? false
    }

    mutating func tickSolitude(_ place: Int, _ now: MonotonicTime) -> [Action] {
        if let until = runtimes[place].solitude.isAwaitedUntil, until <= now {
            runtimes[place].solitude.isAwaitedUntil = nil
            runtimes[place].solitude.isGivenUp = runtimes[place].waiting.first?.chunk.isSolitary ?? false
            return assign(place, now)
        }
        if let until = runtimes[place].solitude.isExclusiveUntil, until <= now {
            runtimes[place].solitude.isExclusiveUntil = nil
            return assign(place, now)
        }
        return []
    }

    mutating func recallAll(of place: Int) -> [Action] {
        var actions: [Action] = []
        for number in workers.keys.sorted() where workers[number]?.runtime == place {
            guard let work = workers[number]?.work, !work.isRecalled else { continue }
            workers[number]?.work?.isRecalled = true
            actions.append(.recall(worker: number, chunk: work.chunk.id))
        }
        return actions
    }

    private func isBusy(_ place: Int) -> Bool { workers.values.contains { $0.runtime == place && $0.work != nil } }
}
