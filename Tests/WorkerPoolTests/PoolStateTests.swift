import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

@testable import WorkerPool

/// The decisions of the pool about chunks and the deaths of workers, without a process and without a clock.
@Suite struct PoolStateTests {
    private typealias Action = PoolState.Action
    private typealias T = StateHarness
    private func at(_ milliseconds: Int64) -> MonotonicTime { T.at(milliseconds) }

    @Test func isIdleWhenThereIsNothingToDo() {
        var state = T.readyState()
        // What was armed for forks and preparations is over.
        #expect(state.tick(now: at(60_000)) == [])
        #expect(state.alarm == nil)
        #expect(state.isQuiet)
        #expect(state.availableSlots == 2)
    }

    @Test func chunksWaitForTheirWorkers() {
        var state = PoolState(
            slots: 1, runtimes: [T.rules("swift", [HandlerProfile(name: "square")])], gracePeriod: .zero, now: at(0))
        #expect(state.run(T.chunk(1), now: at(0)) == [])
        #expect(state.tick(now: at(0)) == [.spawnZygote(runtime: 0)])
        #expect(
            state.zygoteReady(0, now: at(1)) == [
                .emit(.slots(1)), .emit(.loaded(handlers: ["square"], problem: nil)), .fork(worker: 1, runtime: 0),
            ])
        #expect(state.forked(1, process: 101, now: at(2)) == [])
        #expect(state.ready(1, now: at(3)).contains(T.sending(1, T.chunk(1))))
        #expect(state.run(T.chunk(2), now: at(3)) == [])
        #expect(
            state.completed(1, busy: 0.5, now: at(4)) == [
                T.sending(1, T.chunk(2)), .emit(.ended(chunk: 1, .completed(busy: 0.5))),
            ])
        #expect(state.chunk(of: 1) == T.chunk(2))
    }

    @Test func aWorkerMayBeReadyBeforeItIsSaidToBeForked() {
        var state = PoolState(
            slots: 1, runtimes: [T.rules("swift", [HandlerProfile(name: "square")])], gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        _ = state.zygoteReady(0, now: at(0))
        _ = state.run(T.chunk(1), now: at(0))
        #expect(state.ready(1, now: at(1)) == [], "nobody could signal it yet")
        #expect(state.forked(1, process: 101, now: at(2)).contains(T.sending(1, T.chunk(1))))
        _ = state.completed(1, busy: 0, now: at(3))
        #expect(state.tick(now: at(100_000)) == [])
        #expect(state.run(T.chunk(2), now: at(100_000)).contains(T.sending(1, T.chunk(2))))
    }

    @Test func forksAFewWorkersAtATime() {
        var state = PoolState(slots: 40, runtimes: [T.rules("swift", [])], gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        #expect(state.zygoteReady(0, now: at(0)).count == 2, "one finds out whether the others will be of use")
        _ = state.forked(1, process: 101, now: at(0))
        #expect(state.ready(1, now: at(0)).count == 16)
        #expect(state.forked(2, process: 102, now: at(0)) == [.fork(worker: 18, runtime: 0)])
    }

    @Test func aRecalledChunkComesBackAsFarAsItHasNotBegun() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        _ = state.run(T.chunk(2), now: at(0))
        #expect(state.recall(2, now: at(1)) == [.emit(.ended(chunk: 2, .returned))], "no worker has it")
        #expect(state.recall(1, now: at(1)) == [.recall(worker: 1, chunk: 1)])
        #expect(state.recall(3, now: at(1)) == [])
        let actions = state.completed(1, finished: 4, busy: 1, now: at(5))
        #expect(actions == [.emit(.ended(chunk: 1, .returned))], "the worker stays")
        #expect(state.run(T.chunk(3), now: at(6)).first == T.sending(1, T.chunk(3)))
        // It was at its last job when it heard of it.
        _ = state.recall(3, now: at(6))
        #expect(T.end(of: state.completed(1, finished: 10, busy: 1, now: at(7))) == .completed(busy: 1))
    }

    @Test func aDeathBehindTheEndOfARecalledChunkCostsNothing() {
        for finished in [0, 4] {
            var state = T.readyState(slots: 1)
            _ = state.run(T.chunk(1), now: at(0))
            _ = state.recall(1, now: at(1))
            // It died before anybody had read that it was done.
            _ = state.socketEnded(1, now: at(5))
            _ = state.exited(T.exit(101, signal: SIGKILL), runtime: 0, now: at(5))
            var remains = PoolState.Remains(finished: finished, runningSince: nil)
            remains.isDone = true
            #expect(T.end(of: state.collected(1, remains, now: at(5))) == .returned)
        }
    }

    @Test func aDeathIsChargedToTheRunningJob() throws {
        var state = T.readyState()
        _ = state.run(T.chunk(1), now: at(0))
        #expect(state.socketEnded(2, now: at(5)) == [.kill(worker: 2, signal: SIGKILL)])
        #expect(
            state.exited(T.exit(102, signal: SIGSEGV), runtime: 0, now: at(6)) == [
                .collect(worker: 2, T.chunk(1))
            ])
        #expect(state.process(of: 2) == nil, "its number is somebody else's from here on")
        let remains = PoolState.Remains(finished: 4, runningSince: at(2), standardError: "oh\n")
        let actions = state.collected(2, remains, now: at(6))
        #expect(actions.first == .drop(worker: 2))
        #expect(actions.last == .fork(worker: 3, runtime: 0))
        let (position, failure) = try T.interruption(actions)
        #expect(position == 4)
        #expect(failure.kind == .signal)
        let death = try #require(failure.death)
        #expect(death.processID == 102)
        #expect(death.signal == "SIGSEGV")
        #expect(death.cpuSeconds == 2)
        #expect(death.peakResidentBytes == 3)
        #expect(death.standardError == "oh\n")
        #expect(abs(death.wallSeconds - 0.004) < 1e-9)
        #expect(state.exited(T.exit(102, signal: SIGSEGV), runtime: 0, now: at(7)) == [], "said twice")
    }

    @Test func aDeathBetweenJobsIsChargedToNobody() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        #expect(T.end(of: T.die(1, &state, code: 0, finished: 4, at(1))) == .returned)
    }

    @Test func aDeathAfterTheLastOutcomeCompletesTheChunk() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        #expect(T.end(of: T.die(1, &state, signal: SIGSEGV, finished: 10, at(1000))) == .completed(busy: 1))
    }

    @Test func anUnknownCauseOfDeathIsNotWaitedForForEver() throws {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        _ = state.socketEnded(1, now: at(10))
        #expect(state.tick(now: at(1010)).contains(.collect(worker: 1, T.chunk(1))))
        let actions = state.collected(1, .init(finished: 0, runningSince: at(1)), now: at(1010))
        #expect(try T.interruption(actions).failure.message == "the worker went away while it ran this job")
        // The zygote still has to reap it; if it never does, this process has to.
        #expect(state.zygoteEnded(0, "is gone", now: at(1020)).contains(.adopt(process: 101)))
    }

    @Test func memoryThatWasShortIsMentioned() throws {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        _ = state.exited(T.exit(101, signal: SIGKILL), runtime: 0, now: at(1))
        #expect(state.isKillUnexplained(1))
        let remains = PoolState.Remains(finished: 0, runningSince: at(0), isMemoryShort: true)
        let (_, failure) = try T.interruption(state.collected(1, remains, now: at(1)))
        #expect(failure.kind == .signal)
        #expect(failure.message == "the worker was killed by SIGKILL while it ran this job, possibly out of memory")
    }

    @Test func workersThatDieEarlyAreReplacedMoreAndMoreSlowly() {
        var state = T.readyState(slots: 1)
        var number: UInt32 = 1
        var now: Int64 = 0
        for delay: Int64 in [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000] {
            let actions = T.die(number, &state, code: 1, at(now))
            number += 1
            let next = Action.fork(worker: number, runtime: 0)
            if delay == 0 {
                #expect(actions.last == next)
            } else {
                #expect(!actions.contains(next))
                #expect(!state.tick(now: at(now + delay - 1)).contains(next))
                #expect(state.tick(now: at(now + delay)).contains(next))
            }
            now += delay
            T.start(number, &state, at(now))
        }
    }

    @Test func manyThatDieTogetherCountOnce() {
        var state = T.readyState(slots: 8)
        for number: UInt32 in 1...8 { _ = T.die(number, &state, signal: SIGKILL, at(10)) }
        #expect(state.tick(now: at(110)).filter { if case .fork = $0 { true } else { false } }.isEmpty)
        _ = state.forked(9, process: 109, now: at(110))
        #expect(state.ready(9, now: at(110)).count { if case .fork = $0 { true } else { false } } == 7)
    }

    @Test func anIdleWorkerThatHasWorkedIsReplacedAtOnce() {
        var state = T.readyState(slots: 1)
        for number: UInt32 in 1...20 {
            _ = state.run(T.chunk(UInt64(number)), now: at(0))
            _ = state.completed(number, busy: 0, now: at(1))
            #expect(T.die(number, &state, signal: SIGTERM, at(2)).last == .fork(worker: number + 1, runtime: 0))
            T.start(number + 1, &state, at(2))
        }
    }

    @Test func othersThatWorkDoNotHurryThoseThatDie() {
        var state = T.readyState(slots: 2)
        _ = state.run(T.chunk(1), now: at(0))
        _ = T.die(1, &state, code: 1, at(10))
        T.start(3, &state, at(10))
        _ = T.die(3, &state, code: 1, at(10))
        // The other one was there before.
        _ = state.completed(2, busy: 0, now: at(20))
        #expect(!state.tick(now: at(109)).contains(.fork(worker: 4, runtime: 0)))
        #expect(state.tick(now: at(110)).contains(.fork(worker: 4, runtime: 0)))
        T.start(4, &state, at(110))
        #expect(!T.die(4, &state, code: 1, at(111)).contains(.fork(worker: 5, runtime: 0)))
        #expect(!state.tick(now: at(310)).contains(.fork(worker: 5, runtime: 0)))
        #expect(state.tick(now: at(311)).contains(.fork(worker: 5, runtime: 0)))
    }

    @Test func aWorkerThatCrashesInAJobIsReplacedAtOnce() {
        var state = T.readyState(slots: 1)
        for number in UInt32(1)...20 {
            _ = state.run(T.chunk(UInt64(number)), now: at(0))
            let actions = T.die(number, &state, signal: SIGSEGV, runningSince: at(0), at(1))
            #expect(actions.last == .fork(worker: number + 1, runtime: 0))
            T.start(number + 1, &state, at(1))
        }
    }

    @Test func aViolationIsChargedToTheJobItCameFrom() throws {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        #expect(
            state.violated(1, ProtocolViolation("garbage"), now: at(1)) == [.kill(worker: 1, signal: SIGKILL)])
        let (position, failure) = try T.interruption(T.die(1, &state, signal: SIGKILL, finished: 7, at(2)))
        #expect(position == 7)
        #expect(failure.message == "the worker broke the protocol while it ran this job (garbage) and was killed")
    }

    @Test func aSharedValueIsSentOnceAsLongAsTheWorkerHoldsIt() {
        var state = T.readyState(slots: 1)
        func sends(_ batch: UInt64) -> Bool? {
            let value = SharedValue(batch: BatchID(ULID(high: 9, low: batch)), bytes: [0x31])
            let actions = state.run(T.chunk(batch, shared: value), now: at(0))
            _ = state.completed(1, busy: 0, now: at(1))
            return actions.compactMap { if case .send(_, let assignment) = $0 { assignment.sendsShared } else { nil } }
                .first
        }
        #expect(sends(1) == true)
        #expect(sends(1) == false)
        for batch: UInt64 in 2...4 { #expect(sends(batch) == true) }
        #expect(sends(1) == false, "it still has it")
        #expect(sends(5) == true)
        #expect(sends(1) == true, "it was the one that came first, and was driven out")
        #expect(sends(3) == false)
        #expect(sends(2) == true)
    }

    @Test func stopReturnsEverything() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        _ = state.run(T.chunk(2), now: at(0))
        #expect(
            state.stop(now: at(1)) == [
                .emit(.ended(chunk: 2, .returned)), .kill(worker: 1, signal: SIGKILL),
            ])
        #expect(!state.isQuiet)
        let actions = T.die(1, &state, signal: SIGKILL, finished: 3, runningSince: at(1), at(2))
        #expect(actions == [.drop(worker: 1), .emit(.ended(chunk: 1, .returned))])
        #expect(state.isQuiet)
        #expect(state.run(T.chunk(3), now: at(3)) == [.emit(.ended(chunk: 3, .returned))])
        #expect(state.stop(now: at(4)) == [])
    }
}
