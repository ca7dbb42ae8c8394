import Glibc
import JobModel
package import Platform
package import WorkerKit

extension PoolState {
    /// A worker that dies so soon after its fork, without having worked, has died of the fork.
    private static let infancy = TimeSpan.milliseconds(1000)

    package mutating func forked(_ number: UInt32, process: Int32, now: MonotonicTime) -> [Action] {
        guard var worker = workers[number], worker.processID == nil else { return [] }
        worker.processID = process
        let until = now + runtimes[worker.runtime].preparationTimeout
        worker.stage = .preparing(until: until)
        if !worker.isProbe { worker.slowAt = now + runtimes[worker.runtime].stepPatience }
        workers[number] = worker
        if !worker.isUsable { return kill(number, SIGKILL) }
        if worker.isReadyEarly { return ready(number, now: now) }
        arm(worker.slowAt ?? until)
        return supply(now)
    }

    /// The worker's own step is done: it can be given chunks.
    package mutating func ready(_ number: UInt32, now: MonotonicTime) -> [Action] {
        guard var worker = workers[number], !worker.isReady, worker.isUsable else { return [] }
        guard worker.processID != nil else {
            workers[number]?.isReadyEarly = true
            return []
        }
        worker.stage = .ready
        worker.since = now
        worker.isProbe = false
        workers[number] = worker
        let place = worker.runtime
        runtimes[place].isProven = true
        runtimes[place].lastStep = now - worker.askedAt
        runtimes[place].idle.append(number)
        // Where all others are busy there is one too many until the first of them has done its chunk: what has taken long is not
        // thrown away.
        let kept = runtimes[place].claims.isEmpty ? place : nil
        return recover(place) + takeOver(place, now) + assign(place, now) + shed(except: kept, now) + supply(now)
    }

    /// The worker's own step takes longer than a slot can be kept for it. It goes on beside the slots, the only one of its
    /// runtime to do so; until it is ready, or another one is, the chunks that wait go back.
    mutating func stepIsSlow(_ number: UInt32, _ now: MonotonicTime) -> [Action] {
        guard let worker = workers[number] else { return [] }
        let place = worker.runtime
        workers[number]?.slowAt = nil
        if workers.values.contains(where: { $0.runtime == place && $0.isProbe && $0.isUsable }) {
            return end(number, .notReady, now)
        }
        workers[number]?.isProbe = true
        runtimes[place].isProven = false
        return hasReadyWorker(place) ? [] : declareSlow(place)
    }

    /// The worker's own step has failed, or did not end in time.
    package mutating func stepFailed(_ number: UInt32, _ reason: String, now: MonotonicTime) -> [Action] {
        guard let worker = workers[number], worker.killReason == nil else { return [] }
        let actions = end(number, .notReady, now)
        runtimes[worker.runtime].forkFailed(now)
        return actions + suspect(worker.runtime, reason, now)
    }

    package mutating func forkFailed(_ number: UInt32, _ reason: String, now: MonotonicTime) -> [Action] {
        guard let worker = workers.removeValue(forKey: number) else { return [] }
        runtimes[worker.runtime].forkFailed(now)
        return [.drop(worker: number)] + suspectIfRepeated(worker.runtime, reason, now)
            + endIfDone(worker.runtime) + supply(now)
    }

    /// The worker's socket has ended: it is dead, or of no use any more.
    package mutating func socketEnded(_ number: UInt32, now: MonotonicTime) -> [Action] {
        guard let worker = workers[number] else { return [] }
        forgetIdle(number)
        if worker.isOrphan {
            workers[number]?.statusExpected = now + PoolState.statusWait
            return kill(number, SIGKILL) + [.collect(worker: number, worker.work?.chunk)]
        }
        guard worker.statusExpected == nil, worker.exit == nil else { return [] }
        // As long as it is not said to be forked, the zygote owes an answer.
        let wait = worker.processID == nil ? PoolState.patience : PoolState.statusWait
        workers[number]?.statusExpected = now + wait
        arm(now + wait)
        return kill(number, SIGKILL)
    }

    /// The zygote has reaped a worker.
    package mutating func exited(_ exit: ProcessExit, runtime: Int, now: MonotonicTime) -> [Action] {
        let worker = workers.first {
            $0.value.runtime == runtime && $0.value.processID == exit.processID && $0.value.exit == nil
                && !$0.value.isOrphan
        }
        guard let number = worker?.key else {
            runtimes[runtime].unaccounted.remove(exit.processID)
            return []
        }
        workers[number]?.exit = exit
        forgetIdle(number)
        return [.collect(worker: number, workers[number]?.work?.chunk)]
    }

    /// Whether the worker was killed, and not by us.
    package func isKillUnexplained(_ number: UInt32) -> Bool {
        workers[number].map { $0.killReason == nil && $0.exit?.signal == SIGKILL } ?? false
    }

    /// The worker has sent what it could not have sent in good health.
    package mutating func violated(_ number: UInt32, _ violation: ProtocolViolation, now: MonotonicTime) -> [Action] {
        end(number, .violation(violation.description), now)
    }

    /// The outcomes that a dead worker left were handed on.
    package mutating func collected(_ number: UInt32, _ remains: Remains, now: MonotonicTime) -> [Action] {
        guard let worker = workers.removeValue(forKey: number) else { return [] }
        let place = worker.runtime
        runtimes[place].idle.removeAll { $0 == number }
        var actions: [Action] = [.drop(worker: number)]
        if let process = worker.processID, worker.exit == nil {
            if worker.isOrphan {
                actions.append(.adopt(process: process))
            } else {
                runtimes[place].unaccounted.insert(process)
            }
        }
        if let work = worker.work {
            let end = worker.verdict(on: work, remains, now: now)
            actions.append(.emit(.ended(chunk: work.chunk.id, end)))
        }
        if diedOfItsFork(worker, remains, now) {
            runtimes[place].forkFailed(now)
            actions += suspectIfRepeated(place, "a worker died right after the fork\(worker.how(remains))", now)
        }
        // What was solitary, or waited for the last one beside it, does not any more.
        return actions + endIfDone(place) + assign(place, now) + supply(now)
    }

    /// Kills a worker, gently first if its chunk was cancelled. The first reason stays.
    /// - Parameter grace: how long one whose chunk was cancelled may take; the shortest counts.
    mutating func end(
        _ number: UInt32, _ reason: KillReason, grace: TimeSpan = .zero, _ now: MonotonicTime
    ) -> [Action] {
        guard var worker = workers[number] else { return [] }
        forgetIdle(number)
        if worker.killReason == nil {
            worker.killReason = reason
            worker.since = now
        } else if reason == .cancelled {
            guard let ends = worker.graceEnds, now + grace < ends else { return [] }
            workers[number]?.graceEnds = now + grace
            return arm(now + grace) ? [.wake] : []
        }
        let isGentle = reason == .cancelled
        if isGentle {
            worker.graceEnds = now + grace
            arm(now + grace)
        } else {
            // Its death is usually told at once. But who should tell it may stand still.
            worker.endsBy = now + PoolState.patience
            arm(now + PoolState.patience)
        }
        workers[number] = worker
        return kill(number, isGentle ? SIGTERM : SIGKILL)
    }

    /// Nothing for a worker that is not forked yet or is reaped: its number may be somebody else's by now.
    func kill(_ number: UInt32, _ signal: Int32) -> [Action] {
        process(of: number) == nil ? [] : [.kill(worker: number, signal: signal)]
    }

    mutating func forgetIdle(_ number: UInt32) {
        guard let place = workers[number]?.runtime else { return }
        runtimes[place].idle.removeAll { $0 == number }
    }

    private func diedOfItsFork(_ worker: Worker, _ remains: Remains, _ now: MonotonicTime) -> Bool {
        guard worker.killReason == nil, !worker.isOrphan, !worker.isDismissed, worker.jobs == 0,
            remains.runningSince == nil, remains.finished == 0, !remains.isDone
        else { return false }
        return !worker.isReady || now - worker.askedAt < PoolState.infancy
    }
}
