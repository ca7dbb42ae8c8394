import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

@testable import WorkerPool

/// The decisions of the pool, without a process and without a clock.
@Suite struct PoolStateTests {
    private typealias Action = PoolState.Action

    private func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000 * (1000 + milliseconds))
    }

    private func chunk(_ id: UInt64, count: Int = 10, timeout: Double? = nil) -> Chunk {
        let input = Array([String](repeating: "1", count: count).joined(separator: ",").utf8)
        let part = Chunk.Part(
            batch: BatchID(ULID(high: 1, low: 1)), first: 0, count: count, attempt: 1, input: input)
        return Chunk(id: id, handler: "square", timeout: timeout, parts: [part])
    }

    /// A pool whose workers 1... are forked as processes 101...
    private func readyState(slots: Int = 2, grace: Int64 = 1000) -> PoolState {
        var state = PoolState(slots: slots, gracePeriod: .milliseconds(grace), now: at(0))
        #expect(state.tick(now: at(0)) == [.spawnZygote])
        let forks = (1...UInt32(slots)).map { Action.fork(worker: $0) }
        #expect(state.zygoteReady(now: at(0)) == [.emit(.slots(slots))] + forks)
        for number in 1...slots {
            #expect(state.forked(UInt32(number), process: Int32(100 + number), now: at(0)) == [])
        }
        return state
    }

    private func exit(_ process: Int32, signal: Int32? = nil, code: Int32? = nil) -> ProcessExit {
        ProcessExit(processID: process, exitCode: code, signal: signal, cpuSeconds: 2, peakResidentBytes: 3)
    }

    private func end(of actions: [Action]) -> ChunkEnd? {
        actions.compactMap { if case .emit(.ended(_, let end)) = $0 { end } else { nil } }.first
    }

    @Test func isIdleWhenThereIsNothingToDo() {
        var state = readyState()
        #expect(state.tick(now: at(1)) == [])
        #expect(state.alarm == nil)
        #expect(state.isQuiet)
        #expect(state.availableSlots == 2)
    }

    @Test func chunksWaitForTheirWorkers() {
        var state = PoolState(slots: 1, gracePeriod: .zero, now: at(0))
        #expect(state.run(chunk(1), now: at(0)) == [])
        #expect(state.tick(now: at(0)) == [.spawnZygote])
        #expect(state.zygoteReady(now: at(1)) == [.emit(.slots(1)), .fork(worker: 1)])
        #expect(state.forked(1, process: 101, now: at(2)) == [.send(worker: 1, chunk(1))])
        #expect(state.run(chunk(2), now: at(3)) == [])
        #expect(
            state.completed(1, busy: 0.5, now: at(4)) == [
                .send(worker: 1, chunk(2)), .emit(.ended(chunk: 1, .completed(busy: 0.5))),
            ])
        #expect(state.chunk(of: 1) == chunk(2))
    }

    @Test func forksAFewWorkersAtATime() {
        var state = PoolState(slots: 40, gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        #expect(state.zygoteReady(now: at(0)).count == 17)
        #expect(state.forked(1, process: 101, now: at(0)) == [.fork(worker: 17)])
    }

    @Test func aDeathIsChargedToTheRunningJob() throws {
        var state = readyState()
        #expect(state.run(chunk(1), now: at(0)) == [.send(worker: 2, chunk(1))])
        #expect(state.socketEnded(2, now: at(5)) == [.kill(process: 102, signal: SIGKILL)])
        #expect(state.exited(exit(102, signal: SIGSEGV), now: at(6)) == [.collect(worker: 2, chunk(1))])
        let actions = state.collected(2, .init(finished: 4, runningSince: at(2)), now: at(6))
        #expect(actions.first == .drop(worker: 2, orphan: nil))
        #expect(actions.last == .fork(worker: 3))
        guard case .interrupted(4, let failure) = end(of: actions) else {
            Issue.record("\(actions)")
            return
        }
        #expect(failure.kind == .signal)
        let death = try #require(failure.death)
        #expect(death.processID == 102)
        #expect(death.signal == "SIGSEGV")
        #expect(death.cpuSeconds == 2)
        #expect(death.peakResidentBytes == 3)
        #expect(abs(death.wallSeconds - 0.004) < 1e-9)
        #expect(state.exited(exit(102, signal: SIGSEGV), now: at(7)) == [], "said twice")
    }

    @Test func aDeathBetweenJobsIsChargedToNobody() {
        var state = readyState(slots: 1)
        _ = state.run(chunk(1), now: at(0))
        _ = state.exited(exit(101, code: 0), now: at(1))
        #expect(end(of: state.collected(1, .init(finished: 4, runningSince: nil), now: at(1))) == .returned)
    }

    @Test func aDeathAfterTheLastOutcomeCompletesTheChunk() {
        var state = readyState(slots: 1)
        _ = state.run(chunk(1), now: at(0))
        _ = state.exited(exit(101, signal: SIGKILL), now: at(2000))
        let actions = state.collected(1, .init(finished: 10, runningSince: nil), now: at(2000))
        #expect(end(of: actions) == .completed(busy: 2))
    }

    @Test func anUnknownCauseOfDeathIsNotWaitedForForEver() {
        var state = readyState(slots: 1)
        _ = state.run(chunk(1), now: at(0))
        _ = state.socketEnded(1, now: at(10))
        #expect(state.tick(now: at(500)) == [])
        #expect(state.tick(now: at(1010)) == [.collect(worker: 1, chunk(1))])
        guard
            case .interrupted(0, let failure) = end(
                of: state.collected(1, .init(finished: 0, runningSince: at(1)), now: at(1010)))
        else {
            Issue.record("not charged")
            return
        }
        #expect(failure.message == "the worker went away while it ran this job")
    }

    @Test func workersThatDieEarlyAreReplacedMoreAndMoreSlowly() {
        var state = readyState(slots: 1)
        var process: Int32 = 101
        var now: Int64 = 0
        for (number, delay) in [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000].enumerated() {
            #expect(state.exited(exit(process, code: 1), now: at(now)) == [.collect(worker: UInt32(number + 1), nil)])
            let next = Action.fork(worker: UInt32(number + 2))
            let actions = state.collected(UInt32(number + 1), nil, now: at(now))
            if delay == 0 {
                #expect(actions.last == next)
            } else {
                #expect(!actions.contains(next))
                #expect(state.alarm == at(now + Int64(delay)))
                #expect(state.tick(now: at(now + Int64(delay) - 1)) == [])
                #expect(state.tick(now: at(now + Int64(delay))) == [next])
            }
            now += Int64(delay)
            process += 1
            _ = state.forked(UInt32(number + 2), process: process, now: at(now))
        }
    }

    @Test func aWorkerThatCrashesInAJobIsReplacedAtOnce() {
        var state = readyState(slots: 1)
        for number in UInt32(1)...20 {
            #expect(state.run(chunk(UInt64(number)), now: at(0)).count == 1)
            _ = state.exited(exit(100 + Int32(number), signal: SIGSEGV), now: at(1))
            let actions = state.collected(number, .init(finished: 0, runningSince: at(0)), now: at(1))
            #expect(actions.last == .fork(worker: number + 1))
            _ = state.forked(number + 1, process: 101 + Int32(number), now: at(1))
        }
    }

    @Test func aTimeOutIsDecidedByThePage() {
        var state = readyState(slots: 1)
        #expect(state.run(chunk(1, timeout: 1), now: at(0)) == [.send(worker: 1, chunk(1, timeout: 1)), .wake])
        #expect(state.alarm == at(1010))
        #expect(state.tick(now: at(1010)) == [.inspect(worker: 1)])
        let second = SharedPage.RunningJob(chunk: 1, position: 1, startedAt: at(700))
        #expect(state.observed(1, second, now: at(1010)) == [])
        #expect(state.alarm == at(1710))
        #expect(state.tick(now: at(1710)) == [.inspect(worker: 1)])
        #expect(state.observed(1, second, now: at(1710)) == [.kill(process: 101, signal: SIGKILL)])
        _ = state.exited(exit(101, signal: SIGKILL), now: at(1712))
        let actions = state.collected(1, .init(finished: 1, runningSince: at(700)), now: at(1712))
        guard case .interrupted(1, let failure) = end(of: actions) else {
            Issue.record("\(actions)")
            return
        }
        #expect(failure.kind == .timeout)
        #expect(failure.message == "the job ran longer than its time-out of 1 s")
    }

    @Test func aTimeOutThatHitsTheNextJobIsChargedToNobody() {
        var state = readyState(slots: 1)
        _ = state.run(chunk(1, timeout: 1), now: at(0))
        _ = state.tick(now: at(1010))
        _ = state.observed(1, .init(chunk: 1, position: 0, startedAt: at(0)), now: at(1010))
        _ = state.exited(exit(101, signal: SIGKILL), now: at(1011))
        #expect(end(of: state.collected(1, .init(finished: 1, runningSince: at(1010)), now: at(1011))) == .returned)
    }

    @Test func aWorkerThatNeverBeginsIsKilledAndNobodyCharged() {
        var state = readyState(slots: 1)
        _ = state.run(chunk(1, timeout: 1), now: at(0))
        _ = state.tick(now: at(1010))
        #expect(state.observed(1, nil, now: at(1010)) == [])
        #expect(state.alarm == at(6010))
        #expect(state.tick(now: at(6010)) == [.inspect(worker: 1)])
        #expect(state.observed(1, nil, now: at(6010)) == [.kill(process: 101, signal: SIGKILL)])
        _ = state.exited(exit(101, signal: SIGKILL), now: at(6011))
        #expect(end(of: state.collected(1, .init(finished: 0, runningSince: nil), now: at(6011))) == .returned)
    }

    @Test func theAlarmIsOnlyMovedForward() {
        var state = readyState(slots: 2)
        #expect(state.run(chunk(1, timeout: 30), now: at(0)).contains(.wake))
        #expect(!state.run(chunk(2, timeout: 31), now: at(0)).contains(.wake))
        let number: UInt32 = state.chunk(of: 1)?.id == 1 ? 1 : 2
        _ = state.completed(number, busy: 0, now: at(1))
        #expect(!state.run(chunk(3, timeout: 30), now: at(2)).contains(.wake))
        #expect(state.tick(now: at(30_010)) == [])
        #expect(state.alarm == at(30_012))
    }

    @Test func aCancelledChunkGetsItsGracePeriod() {
        var state = readyState(slots: 1, grace: 500)
        _ = state.run(chunk(1), now: at(0))
        _ = state.run(chunk(2), now: at(0))
        #expect(state.cancel(2, now: at(1)) == [.emit(.ended(chunk: 2, .returned))])
        #expect(state.cancel(3, now: at(1)) == [])
        #expect(state.cancel(1, now: at(10)) == [.kill(process: 101, signal: SIGTERM)])
        #expect(state.cancel(1, now: at(11)) == [], "asked twice")
        #expect(state.alarm == at(510))
        #expect(state.tick(now: at(510)) == [.kill(process: 101, signal: SIGKILL)])
        #expect(state.tick(now: at(511)) == [])
        _ = state.exited(exit(101, signal: SIGKILL), now: at(512))
        let actions = state.collected(1, .init(finished: 3, runningSince: at(1)), now: at(512))
        #expect(end(of: actions) == .returned)
    }

    @Test func aWorkerThatOutranItsCancellationIsNotUsedAgain() {
        var state = readyState(slots: 1)
        _ = state.run(chunk(1), now: at(0))
        _ = state.cancel(1, now: at(1))
        #expect(
            state.completed(1, busy: 1, now: at(2)) == [
                .kill(process: 101, signal: SIGKILL), .emit(.ended(chunk: 1, .completed(busy: 1))),
            ])
        #expect(state.run(chunk(2), now: at(3)) == [])
        _ = state.exited(exit(101, signal: SIGTERM), now: at(4))
        #expect(state.collected(1, nil, now: at(4)).last == .fork(worker: 2), "without delay: it was killed on purpose")
    }

    @Test func aViolationIsChargedToTheJobItCameFrom() {
        var state = readyState(slots: 1)
        _ = state.run(chunk(1), now: at(0))
        #expect(state.violated(1, ProtocolViolation("garbage"), now: at(1)) == [.kill(process: 101, signal: SIGKILL)])
        _ = state.exited(exit(101, signal: SIGKILL), now: at(2))
        let actions = state.collected(1, .init(finished: 7, runningSince: nil), now: at(2))
        guard case .interrupted(7, let failure) = end(of: actions) else {
            Issue.record("\(actions)")
            return
        }
        #expect(failure.message == "the worker broke the protocol while it ran this job (garbage) and was killed")
    }

    @Test func aDeadZygoteTakesItsWorkersAlong() {
        var state = readyState(slots: 2)
        _ = state.run(chunk(1), now: at(0))
        _ = state.run(chunk(2), now: at(0))
        _ = state.run(chunk(3), now: at(0))
        let actions = state.zygoteEnded(now: at(10))
        #expect(actions[..<2] == [.emit(.slots(0)), .emit(.ended(chunk: 3, .returned))])
        #expect(
            Set(actions[2...]) == [.kill(process: 101, signal: SIGKILL), .kill(process: 102, signal: SIGKILL)])
        #expect(state.availableSlots == 0)
        // The new zygote is there before the old workers are gone.
        #expect(state.tick(now: at(10)) == [.spawnZygote])
        #expect(state.zygoteReady(now: at(11)) == [.emit(.slots(2))])
        #expect(
            state.socketEnded(1, now: at(12)) == [
                .kill(process: 101, signal: SIGKILL), .collect(worker: 1, state.chunk(of: 1)),
            ])
        let collected = state.collected(1, .init(finished: 1, runningSince: at(1)), now: at(12))
        #expect(collected.first == .drop(worker: 1, orphan: 101))
        #expect(end(of: collected) == .returned)
        #expect(collected.last == .fork(worker: 3))
        #expect(state.tick(now: at(1010)) == [.collect(worker: 2, state.chunk(of: 2))], "whose socket stays open")
    }

    @Test func aZygoteThatKeepsDyingIsStartedMoreAndMoreSlowly() {
        var state = PoolState(slots: 1, gracePeriod: .zero, now: at(0))
        var now: Int64 = 0
        for delay: Int64 in [0, 100, 200, 400] {
            #expect(state.tick(now: at(now)) == [.spawnZygote])
            #expect(state.zygoteEnded(now: at(now)) == [])
            #expect(state.alarm == at(now + delay))
            now += delay
        }
    }

    @Test func aWorkerThatCouldNotBeForkedIsAskedForAgain() {
        var state = PoolState(slots: 1, gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        _ = state.zygoteReady(now: at(0))
        #expect(state.forkFailed(1, now: at(0)) == [.drop(worker: 1, orphan: nil), .fork(worker: 2)])
        #expect(state.forkFailed(2, now: at(0)) == [.drop(worker: 2, orphan: nil)])
        #expect(state.tick(now: at(100)) == [.fork(worker: 3)])
    }

    @Test func stopReturnsEverything() {
        var state = readyState(slots: 1)
        _ = state.run(chunk(1), now: at(0))
        _ = state.run(chunk(2), now: at(0))
        #expect(
            state.stop(now: at(1)) == [
                .emit(.ended(chunk: 2, .returned)), .kill(process: 101, signal: SIGKILL),
            ])
        #expect(!state.isQuiet)
        _ = state.exited(exit(101, signal: SIGKILL), now: at(2))
        let actions = state.collected(1, .init(finished: 3, runningSince: at(1)), now: at(2))
        #expect(actions == [.drop(worker: 1, orphan: nil), .emit(.ended(chunk: 1, .returned))])
        #expect(state.isQuiet)
        #expect(state.run(chunk(3), now: at(3)) == [.emit(.ended(chunk: 3, .returned))])
        #expect(state.stop(now: at(4)) == [])
    }
}
