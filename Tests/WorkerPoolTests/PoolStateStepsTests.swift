import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

@testable import WorkerPool

/// Workers' own steps that hang or take long, and others that want the slots meanwhile.
@Suite struct PoolStateStepsTests {
    private typealias Action = PoolState.Action
    private typealias T = StateHarness
    private func at(_ milliseconds: Int64) -> MonotonicTime { T.at(milliseconds) }

    /// Two runtimes of which the first is known to be well, and idle. A chunk for the second waits for worker `number`, which is on
    /// its own step.
    private func waiting(slots: Int, number: inout UInt32) -> PoolState {
        var state = T.twoRuntimes(slots: slots)
        for number in 1...UInt32(slots) { T.start(number, &state, at(0)) }
        number = UInt32(slots) + 1
        #expect(state.run(T.chunk(1, "c"), now: at(0)).contains(.fork(worker: number, runtime: 1)))
        _ = state.forked(number, process: Int32(100 + number), now: at(0))
        return state
    }

    @Test(arguments: [1, 2, 4]) func aStepThatHangsGivesItsSlotBack(slots: Int) throws {
        var number: UInt32 = 0
        var state = waiting(slots: slots, number: &number)
        #expect(state.living == slots)
        for id: UInt64 in 2..<2 + UInt64(slots) {
            #expect(!state.run(T.chunk(id, "c"), now: at(1)).contains { if case .fork = $0 { true } else { false } })
        }
        #expect(state.alarm.map { $0 <= at(1000) } == true)
        let slow = state.tick(now: at(1000))
        #expect(state.living < slots || slow.contains { if case .fork(_, 0) = $0 { true } else { false } })
        let unhealthy = try #require(T.health(slow)["c"] ?? nil)
        #expect(unhealthy.acceptsJobs, "nothing has failed")
        let returned = slow.count { if case .emit(.ended(_, .returned)) = $0 { true } else { false } }
        #expect(returned == 1 + slots, "they would hold slots")
        #expect(T.end(of: state.run(T.chunk(9, "c"), now: at(1001))) == .returned)
        // It comes through all the same.
        let ready = state.ready(number, now: at(30_000))
        #expect(T.health(ready) == ["c": nil])
        #expect(state.run(T.chunk(10, "c"), now: at(30_001)).contains(T.sending(number, T.chunk(10, "c"))))
    }

    @Test func othersHaveTheSlotMeanwhile() {
        var number: UInt32 = 0
        var state = waiting(slots: 1, number: &number)
        let fork = state.tick(now: at(1000)).first { if case .fork = $0 { true } else { false } }
        // The slot goes to whoever was used last, or needs it.
        guard case .fork(let other, 0)? = fork ?? state.run(T.chunk(2, "a"), now: at(1001)).last else {
            Issue.record("no worker for others")
            return
        }
        if fork != nil { _ = state.run(T.chunk(2, "a"), now: at(1001)) }
        _ = state.forked(other, process: 150, now: at(1002))
        #expect(state.ready(other, now: at(1003)).contains(T.sending(other, T.chunk(2, "a"))))
        // Ready while the slot is busy: it waits beside it, and the slot is handed over when that is free.
        _ = state.ready(number, now: at(2000))
        #expect(state.living == 2)
        let completed = state.completed(other, busy: 1, now: at(2001))
        #expect(completed.contains(.dismiss(worker: other)))
        #expect(state.living == 1)
        #expect(state.run(T.chunk(3, "c"), now: at(2002)).contains(T.sending(number, T.chunk(3, "c"))))
    }

    @Test func aStepThatHangsToItsEndIsTriedBesideTheSlots() throws {
        var number: UInt32 = 0
        var state = waiting(slots: 1, number: &number)
        _ = state.tick(now: at(1000))
        let killed = state.tick(now: at(60_000))
        #expect(killed.contains(.kill(worker: number, signal: SIGKILL)))
        let unhealthy = try #require(T.health(killed)["c"] ?? nil)
        #expect(!unhealthy.acceptsJobs && unhealthy.reason == "a worker was not ready within 60 s")
        let probe = try #require(
            killed.compactMap { if case .fork(let worker, 1) = $0 { worker } else { nil } }.first,
            "at once, the first time")
        _ = T.die(number, &state, signal: SIGKILL, runtime: 1, at(60_001))
        #expect(state.workers[probe]?.isProbe == true)
        #expect(state.living <= 1)
        _ = state.forked(probe, process: 160, now: at(60_002))
        #expect(
            !state.tick(now: at(62_000)).contains { if case .fork(_, 1) = $0 { true } else { false } }, "one is enough")
    }

    @Test func aStepMayTakeAsLongAsIsUsual() {
        var state = T.twoRuntimes(slots: 1)
        T.start(1, &state, at(0))
        _ = state.run(T.chunk(1, "c"), now: at(0))
        _ = state.forked(2, process: 102, now: at(0))
        _ = state.tick(now: at(1000))
        _ = state.ready(2, now: at(2000))
        _ = state.run(T.chunk(2, "c"), now: at(2000))
        // The worker dies in a job; that the next one takes 2 s as well surprises nobody.
        let died = T.die(2, &state, signal: SIGSEGV, runtime: 1, runningSince: at(2000), at(3000))
        guard case .fork(let next, 1)? = died.last else {
            Issue.record("\(died)")
            return
        }
        _ = state.forked(next, process: 110, now: at(3000))
        _ = state.run(T.chunk(3, "c"), now: at(3000))
        #expect(T.health(state.tick(now: at(8999))).isEmpty)
        #expect(T.health(state.tick(now: at(9000)))["c"] != nil)
    }

    @Test func onlyOneWorkerHangsBesideTheSlots() {
        var state = T.readyState(slots: 2)
        for id: UInt64 in 1...2 { _ = state.run(T.chunk(id), now: at(0)) }
        for number: UInt32 in 1...2 { _ = T.die(number, &state, signal: SIGSEGV, runningSince: at(0), at(5000)) }
        // It was known to be well, so both may try.
        for number: UInt32 in 3...4 { _ = state.forked(number, process: Int32(100 + number), now: at(5000)) }
        let slow = state.tick(now: at(6000))
        #expect(slow.contains(.kill(worker: 4, signal: SIGKILL)))
        #expect(!slow.contains(.kill(worker: 3, signal: SIGKILL)))
        #expect(T.health(slow).keys.sorted() == ["square"])
        #expect(state.living == 1, "one that is being killed")
    }
}
