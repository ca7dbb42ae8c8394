import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

@testable import WorkerPool

/// Slots that runtimes share, and workers that give way, without a process and without a clock.
@Suite struct PoolStateSupplyTests {
    private typealias T = StateHarness
    private func at(_ milliseconds: Int64) -> MonotonicTime { T.at(milliseconds) }

    @Test func anIdleWorkerGivesWayToAnotherRuntime() {
        var state = T.twoRuntimes()
        T.start(1, &state, at(0))
        T.start(2, &state, at(1))
        // The one that has been idle longer.
        #expect(
            state.run(T.chunk(1, "c"), now: at(5)) == [.dismiss(worker: 1), .fork(worker: 3, runtime: 1)])
        #expect(state.run(T.chunk(2, "a"), now: at(6)).first == T.sending(2, T.chunk(2, "a")))
        _ = state.forked(3, process: 103, now: at(7))
        #expect(state.ready(3, now: at(8)).contains(T.sending(3, T.chunk(1, "c"))))
        #expect(T.die(1, &state, code: 0, at(9)) == [.drop(worker: 1)])
        #expect(state.tick(now: at(99)) == [])
    }

    @Test func aBusyWorkerDoesNotGiveWay() {
        var state = T.twoRuntimes(slots: 1)
        T.start(1, &state, at(0))
        _ = state.run(T.chunk(1, "a"), now: at(1))
        #expect(state.run(T.chunk(2, "c"), now: at(2)) == [])
        let actions = state.completed(1, busy: 0, now: at(3))
        #expect(actions.prefix(2) == [.dismiss(worker: 1), .fork(worker: 2, runtime: 1)])
    }

    @Test func aFreeSlotGoesToTheChunkThatWaitsLongest() {
        var state = T.twoRuntimes(slots: 1)
        T.start(1, &state, at(0))
        _ = state.run(T.chunk(1, "a"), now: at(1))
        _ = state.run(T.chunk(2, "c"), now: at(2))
        _ = state.run(T.chunk(3, "a"), now: at(3))
        #expect(
            T.die(1, &state, signal: SIGSEGV, runningSince: at(1), at(4)).contains(.fork(worker: 2, runtime: 1)))
    }

    @Test func aDismissedWorkerThatStaysIsKilled() {
        var state = T.twoRuntimes()
        T.start(1, &state, at(0))
        T.start(2, &state, at(0))
        _ = state.run(T.chunk(1, "c"), now: at(5))
        #expect(!state.tick(now: at(1004)).contains(.kill(worker: 1, signal: SIGKILL)))
        #expect(state.tick(now: at(1005)).contains(.kill(worker: 1, signal: SIGKILL)))
    }

    @Test func resizing() {
        var state = T.readyState(slots: 3)
        _ = state.run(T.chunk(1), now: at(0))
        #expect(
            state.resize(to: 1, now: at(1)) == [
                .emit(.slots(1)), .dismiss(worker: 1), .dismiss(worker: 2),
            ])
        _ = state.run(T.chunk(2), now: at(2))
        #expect(state.completed(3, busy: 0, now: at(3)).contains(T.sending(3, T.chunk(2))))
        let more = state.resize(to: 3, now: at(4))
        #expect(more == [.emit(.slots(3)), .fork(worker: 4, runtime: 0), .fork(worker: 5, runtime: 0)])
        #expect(state.resize(to: 3, now: at(5)) == [])
        #expect(state.resize(to: -4, now: at(6)).first == .emit(.slots(1)))
    }

    @Test func busyWorkersThatAreTooManyEndAfterTheirChunk() {
        var state = T.readyState(slots: 2)
        _ = state.run(T.chunk(1), now: at(0))
        _ = state.run(T.chunk(2), now: at(0))
        #expect(state.resize(to: 1, now: at(1)) == [.emit(.slots(1))])
        #expect(state.completed(1, busy: 0, now: at(2)).contains(.dismiss(worker: 1)))
        #expect(!state.completed(2, busy: 0, now: at(3)).contains(.dismiss(worker: 2)))
    }

    @Test func theAllowanceIsFollowedUntilTheSizeIsSet() {
        var state = T.readyState(slots: 1, follows: true)
        #expect(state.run(T.chunk(1), now: at(10)).contains(.readAllowance))
        #expect(!state.run(T.chunk(2), now: at(1000)).contains(.readAllowance))
        #expect(state.run(T.chunk(3), now: at(2010)).contains(.readAllowance))
        #expect(state.allowed(1, now: at(2011)) == [])
        #expect(state.allowed(2, now: at(2012)) == [.emit(.slots(2)), .fork(worker: 2, runtime: 0)])
        _ = state.resize(to: 3, now: at(2013))
        #expect(state.allowed(1, now: at(2014)) == [])
        #expect(!state.run(T.chunk(4), now: at(9000)).contains(.readAllowance))
    }

    @Test func wornWorkersAreReplacedAsTheyGo() {
        let byJobs = HandlerProfile(name: "square", recycling: RecyclingPolicy(jobs: 20))
        var state = T.readyState(slots: 1, byJobs)
        _ = state.run(T.chunk(1), now: at(0))
        _ = state.run(T.chunk(2), now: at(0))
        #expect(!state.needsSize(of: 1))
        #expect(state.completed(1, busy: 0, now: at(1)).first == T.sending(1, T.chunk(2)))
        #expect(
            state.completed(1, busy: 0, now: at(2)).prefix(2) == [
                .dismiss(worker: 1), .fork(worker: 2, runtime: 0),
            ])

        let bySize = HandlerProfile(name: "square", recycling: RecyclingPolicy(residentBytes: 100))
        state = T.readyState(slots: 1, bySize)
        _ = state.run(T.chunk(1), now: at(0))
        #expect(state.needsSize(of: 1))
        #expect(!state.completed(1, busy: 0, residentBytes: 100, now: at(1)).contains(.dismiss(worker: 1)))
        _ = state.run(T.chunk(2), now: at(1))
        #expect(state.completed(1, busy: 0, residentBytes: 101, now: at(2)).contains(.dismiss(worker: 1)))

        let byAge = HandlerProfile(name: "square", recycling: RecyclingPolicy(age: 5))
        state = T.readyState(slots: 1, byAge)
        _ = state.run(T.chunk(1), now: at(0))
        #expect(!state.completed(1, busy: 0, now: at(4999)).contains(.dismiss(worker: 1)))
        _ = state.run(T.chunk(2), now: at(4999))
        #expect(state.completed(1, busy: 0, now: at(5000)).contains(.dismiss(worker: 1)))
    }
}
