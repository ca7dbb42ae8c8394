import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

@testable import WorkerPool

/// Time-outs, limits, cancellations and workers that stand still, without a process and without a clock.
@Suite struct PoolStateWatchingTests {
    private typealias T = StateHarness
    private func at(_ milliseconds: Int64) -> MonotonicTime { T.at(milliseconds) }

    private func job(_ position: Int, _ chunk: UInt64 = 1, since: Int64) -> SharedPage.RunningJob {
        SharedPage.RunningJob(chunk: chunk, position: position, startedAt: at(since))
    }

    private func sight(_ running: SharedPage.RunningJob?, isSuspended: Bool = false) -> PoolState.Sight {
        PoolState.Sight(running: running, hasBegun: running != nil, isSuspended: isSuspended)
    }

    @Test func aLongJobIsLookedAtNowAndThen() {
        var state = T.readyState(slots: 1)
        #expect(state.run(T.chunk(1), now: at(0)).last == .wake)
        #expect(state.tick(now: at(99)) == [])
        #expect(state.tick(now: at(100)) == [.inspect(worker: 1)])
        #expect(state.tick(now: at(349)) == [])
        #expect(state.tick(now: at(350)) == [.inspect(worker: 1)])
        _ = state.completed(1, busy: 0, now: at(351))
        #expect(state.tick(now: at(60_000)) == [])
        #expect(state.alarm == nil)
    }

    @Test func aTimeOutIsDecidedByThePage() throws {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1, timeout: 1), now: at(0))
        #expect(state.tick(now: at(1010)) == [.inspect(worker: 1)])
        #expect(state.observed(1, sight(job(1, since: 700)), now: at(1010)) == [])
        _ = state.tick(now: at(1700))
        _ = state.observed(1, sight(job(1, since: 700)), now: at(1700))
        #expect(state.alarm == at(1710), "to the millisecond, whatever is looked at otherwise")
        #expect(state.tick(now: at(1710)) == [.inspect(worker: 1)])
        #expect(
            state.observed(1, sight(job(1, since: 700)), now: at(1710)) == [.kill(worker: 1, signal: SIGKILL)])
        let actions = T.die(1, &state, signal: SIGKILL, finished: 1, runningSince: at(700), at(1712))
        let (position, failure) = try T.interruption(actions)
        #expect(position == 1)
        #expect(failure.kind == .timeout)
        #expect(failure.message == "the job ran longer than its time-out of 1 s")
    }

    @Test func aKilledWorkerOfWhichNothingIsHeardIsGivenUp() throws {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1, timeout: 1), now: at(0))
        _ = state.observed(1, sight(job(0, since: 0)), now: at(1010))
        // Its zygote stands still, and something holds its socket open.
        #expect(!state.tick(now: at(6009)).contains(.kill(worker: 1, signal: SIGKILL)))
        #expect(state.tick(now: at(6010)).contains(.kill(worker: 1, signal: SIGKILL)))
        #expect(state.tick(now: at(7010)).contains(.collect(worker: 1, state.chunk(of: 1))))
        let actions = state.collected(1, .init(finished: 0, runningSince: at(0)), now: at(7010))
        #expect(try T.interruption(actions).failure.kind == .timeout)
        #expect(actions.contains(.fork(worker: 2, runtime: 0)))
        #expect(state.tick(now: at(12_010)).contains(.killZygote(runtime: 0)), "it does not answer this either")
    }

    @Test func theTighterTimeOutCounts() {
        for (batch, handler, expected) in [(5.0, 1.0, 1.0), (1, 5, 1), (nil, 2, 2), (3, nil, 3), (nil, nil, nil)]
            as [(Double?, Double?, Double?)]
        {
            let limits = HandlerLimits(timeout: handler)
            var state = T.readyState(slots: 1, HandlerProfile(name: "square", limits: limits))
            let actions = state.run(T.chunk(1, timeout: batch), now: at(0))
            #expect(actions.first == T.sending(1, T.chunk(1, timeout: expected), limits))
        }
    }

    @Test func aTimeOutThatHitsTheNextJobIsChargedToNobody() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1, timeout: 1), now: at(0))
        _ = state.tick(now: at(1010))
        _ = state.observed(1, sight(job(0, since: 0)), now: at(1010))
        let actions = T.die(1, &state, signal: SIGKILL, finished: 1, runningSince: at(1010), at(1011))
        #expect(T.end(of: actions) == .returned)
    }

    @Test func aWorkerThatNeverBeginsIsKilledAndItsChunkIsLost() throws {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        #expect(state.tick(now: at(4990)) == [.inspect(worker: 1)])
        #expect(state.observed(1, sight(nil), now: at(4990)) == [])
        #expect(state.tick(now: at(5240)) == [.inspect(worker: 1)])
        #expect(state.observed(1, sight(nil), now: at(5240)) == [.kill(worker: 1, signal: SIGKILL)])
        guard case .lost(let failure) = T.end(of: T.die(1, &state, signal: SIGKILL, at(5241))) else {
            throw T.Unexpected(end: nil)
        }
        #expect(failure.kind == .signal)
        #expect(failure.message == "the worker did not come to run this job within 5 s, and was killed")
        #expect(failure.death?.processID == 101)
    }

    @Test func aWorkerThatDiesWithoutRunningAJobLosesItsChunk() {
        func end(finished: Int, signal: Int32? = nil, code: Int32? = nil) -> ChunkEnd? {
            var state = T.readyState(slots: 1)
            _ = state.run(T.chunk(1), now: at(0))
            return T.end(of: T.die(1, &state, signal: signal, code: code, finished: finished, at(1)))
        }
        for finished in [0, 4] {
            guard case .lost(let failure) = end(finished: finished, signal: SIGSEGV) else {
                Issue.record("\(finished)")
                continue
            }
            #expect(failure.message == "the worker was killed by SIGSEGV before it ran this job")
        }
        guard case .lost = end(finished: 0, code: 0) else {
            Issue.record("it has done nothing")
            return
        }
        #expect(end(finished: 4, code: 0) == .returned, "it has its reasons")
        guard case .completed = end(finished: 10, signal: SIGSEGV) else {
            Issue.record("nothing is lost")
            return
        }
    }

    @Test func whoeverKillsAWorkerForAnotherReasonLosesNothing() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        _ = state.cancel(1, now: at(1))
        #expect(T.end(of: T.die(1, &state, signal: SIGTERM, at(2))) == .returned)
        var second = T.readyState(slots: 1)
        _ = second.run(T.chunk(1), now: at(0))
        _ = second.stop(now: at(1))
        #expect(T.end(of: T.die(1, &second, signal: SIGKILL, at(2))) == .returned)
    }

    @Test func aLargeChunkMayTakeLongerToArrive() {
        var state = T.readyState(slots: 1)
        var chunk = T.chunk(1)
        chunk.parts[0].input = [UInt8](repeating: 0x20, count: 10 << 20)
        _ = state.run(chunk, now: at(0))
        #expect(state.observed(1, sight(nil), now: at(15_000)) == [])
        #expect(state.observed(1, sight(nil), now: at(15_300)) == [.kill(worker: 1, signal: SIGKILL)])
    }

    @Test func aWorkerThatIsBlockedBetweenJobsIsLeftAlone() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1, timeout: 1), now: at(0))
        for second: Int64 in 1...100 {
            let blocked = PoolState.Sight(running: nil, hasBegun: true, isHeldUp: true)
            #expect(state.observed(1, blocked, now: at(second * 1000)) == [])
        }
    }

    @Test func aWorkerThatHangsBetweenTwoJobsIsKilled() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        /// The page may speak of the last job that ran.
        func look(_ now: Int64, finished: Int, _ running: SharedPage.RunningJob? = nil) -> [PoolState.Action] {
            let sight = PoolState.Sight(running: running, hasBegun: true, finished: finished)
            return state.observed(1, sight, now: at(now))
        }
        #expect(look(1000, finished: 2) == [])
        #expect(look(5900, finished: 3) == [], "it moves")
        #expect(look(10_800, finished: 3, job(3, since: 10_000)) == [], "it runs one")
        #expect(look(20_000, finished: 4, job(3, since: 10_000)) == [])
        #expect(look(24_990, finished: 4) == [])
        #expect(look(25_000, finished: 4) == [.kill(worker: 1, signal: SIGKILL)])
        guard case .lost = T.end(of: T.die(1, &state, signal: SIGKILL, finished: 4, at(25_001))) else {
            Issue.record("nobody is charged")
            return
        }
    }

    @Test func aStoppedWorkerIsKilledAtTheSecondLook() throws {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        #expect(state.observed(1, sight(job(3, since: 10), isSuspended: true), now: at(100)) == [])
        #expect(state.observed(1, sight(job(3, since: 10)), now: at(600)) == [], "it goes on")
        #expect(state.observed(1, sight(job(3, since: 10), isSuspended: true), now: at(700)) == [])
        #expect(state.observed(1, sight(job(3, since: 10), isSuspended: true), now: at(1600)) == [])
        #expect(
            state.observed(1, sight(job(3, since: 10), isSuspended: true), now: at(1700)) == [
                .kill(worker: 1, signal: SIGKILL)
            ])
        let actions = T.die(1, &state, signal: SIGKILL, finished: 3, runningSince: at(10), at(1701))
        let (position, failure) = try T.interruption(actions)
        #expect(position == 3)
        #expect(failure.kind == .signal)
        #expect(failure.message.contains("stopped"))
    }

    @Test func aCancelledChunkGetsItsGracePeriod() throws {
        var state = T.readyState(slots: 1, grace: 500)
        _ = state.run(T.chunk(1), now: at(0))
        _ = state.run(T.chunk(2), now: at(0))
        #expect(state.cancel(2, now: at(1)) == [.emit(.ended(chunk: 2, .returned))])
        #expect(state.cancel(3, now: at(1)) == [])
        #expect(state.cancel(1, now: at(10)) == [.kill(worker: 1, signal: SIGTERM)])
        #expect(state.cancel(1, now: at(11)) == [], "asked twice")
        #expect(state.cancel(1, isUrgent: true, now: at(400)) == [], "that is soon enough")
        _ = state.tick(now: at(100))
        #expect(state.alarm == at(510))
        #expect(state.tick(now: at(510)) == [.kill(worker: 1, signal: SIGKILL)])
        #expect(state.tick(now: at(511)) == [])
        let actions = T.die(1, &state, signal: SIGKILL, finished: 3, runningSince: at(1), at(512))
        let (position, failure) = try T.interruption(actions)
        #expect(position == 3)
        #expect(failure.kind == .cancelled)
        #expect(failure.death?.signal == "SIGKILL")
    }

    @Test func whoIsInAHurryShortensTheGracePeriod() {
        var state = T.readyState(slots: 2, grace: 60_000)
        for id: UInt64 in 1...2 { _ = state.run(T.chunk(id), now: at(0)) }
        _ = state.tick(now: at(100))
        #expect(state.cancel(1, now: at(110)) == [.kill(worker: 2, signal: SIGTERM)])
        #expect(state.cancel(2, isUrgent: true, now: at(110)) == [.kill(worker: 1, signal: SIGTERM)])
        #expect(state.tick(now: at(310)).contains(.kill(worker: 1, signal: SIGKILL)))
        #expect(!state.tick(now: at(320)).contains(.kill(worker: 2, signal: SIGKILL)))
        _ = T.die(1, &state, signal: SIGKILL, at(321))
        _ = state.cancel(1, isUrgent: true, now: at(330))
        #expect(state.tick(now: at(530)).contains(.kill(worker: 2, signal: SIGKILL)))
        // No grace at all stays that.
        var strict = T.readyState(slots: 1, grace: 0)
        _ = strict.run(T.chunk(1), now: at(0))
        _ = strict.cancel(1, isUrgent: true, now: at(10))
        #expect(strict.tick(now: at(10)) == [.kill(worker: 1, signal: SIGKILL)])
    }

    @Test func aCancelBetweenJobsHasNobodyToCharge() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        _ = state.cancel(1, now: at(10))
        #expect(T.end(of: T.die(1, &state, signal: SIGTERM, finished: 3, at(12))) == .returned)
    }

    @Test func aWorkerThatOutranItsCancellationIsNotUsedAgain() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        _ = state.cancel(1, now: at(1))
        #expect(
            state.completed(1, busy: 1, now: at(2)) == [
                .kill(worker: 1, signal: SIGKILL), .emit(.ended(chunk: 1, .completed(busy: 1))),
            ])
        #expect(state.run(T.chunk(2), now: at(3)) == [])
        #expect(T.die(1, &state, signal: SIGTERM, at(4)).last == .fork(worker: 2, runtime: 0), "without delay")
    }

    @Test func memoryIsMeasuredWhileAHandlerHasALimit() throws {
        let limits = HandlerLimits(residentBytes: 1000)
        var state = T.readyState(slots: 1, HandlerProfile(name: "square", limits: limits))
        _ = state.run(T.chunk(1), now: at(0))
        #expect(state.tick(now: at(25)) == [.measure(worker: 1)])
        #expect(state.measured(1, residentBytes: 1000, job(0, since: 0), now: at(25)) == [])
        #expect(state.tick(now: at(50)) == [.measure(worker: 1)])
        #expect(state.measured(1, residentBytes: 1001, nil, now: at(50)) == [], "between two jobs")
        #expect(
            state.measured(1, residentBytes: 1001, job(2, since: 0), now: at(75)) == [
                .kill(worker: 1, signal: SIGKILL)
            ])
        let actions = T.die(1, &state, signal: SIGKILL, finished: 2, runningSince: at(1), at(76))
        let (position, failure) = try T.interruption(actions)
        #expect(position == 2)
        #expect(failure.kind == .memoryLimit)
        #expect(
            failure.message == "the worker held 1001 bytes of memory while it ran this job, 1000 are allowed")
        #expect(!state.tick(now: at(100)).contains(.measure(worker: 1)))
    }

    @Test func tooMuchProcessorTimeIsToldFromOtherSignals() throws {
        for (limit, kind) in [(2.0, Failure.Kind.cpuLimit), (nil, .signal)] as [(Double?, Failure.Kind)] {
            let profile = HandlerProfile(name: "square", limits: HandlerLimits(cpuSeconds: limit))
            var state = T.readyState(slots: 1, profile)
            _ = state.run(T.chunk(1), now: at(0))
            let actions = T.die(1, &state, signal: SIGXCPU, runningSince: at(0), at(1))
            #expect(try T.interruption(actions).failure.kind == kind)
        }
    }
}
