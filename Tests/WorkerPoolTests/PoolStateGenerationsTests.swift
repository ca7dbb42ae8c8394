import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

@testable import WorkerPool

/// Runtimes that replace others, without a process and without a clock.
@Suite struct PoolStateGenerationsTests {
    private typealias Action = PoolState.Action
    private typealias T = StateHarness
    private func at(_ milliseconds: Int64) -> MonotonicTime { T.at(milliseconds) }

    private func rules(_ handlers: String..., timeout: Double? = nil) -> PoolState.RuntimeRules {
        T.rules("one", handlers.map { HandlerProfile(name: $0, limits: HandlerLimits(timeout: timeout)) })
    }

    private func loaded(_ actions: [Action]) -> [String: String?] {
        var loaded: [String: String?] = [:]
        for case .emit(.loaded(let handlers, let problem, _)) in actions {
            for handler in handlers { loaded.updateValue(problem, forKey: handler) }
        }
        return loaded
    }

    /// Two slots, "square" served by place 0 with workers 1 (busy with chunk 1) and 2 (idle).
    private func halfBusy() -> PoolState {
        var state = T.readyState(slots: 2)
        _ = state.run(T.chunk(1), now: at(1))
        #expect(state.chunk(of: 2)?.id == 1)
        return state
    }

    @Test func brokenHandlersAreTriedAnewBesideThoseThatWork() throws {
        var state = PoolState(slots: 1, runtimes: [rules("a", "b")], gracePeriod: .zero, now: at(0))
        let broken = [UnusableHandler(name: "b", reason: "no such function")]
        _ = state.tick(now: at(0))
        #expect(T.health(state.zygoteReady(0, broken, now: at(1))).keys.sorted() == ["b"])
        T.start(1, &state, at(1))
        #expect(state.tick(now: at(1001)) == [.spawnZygote(runtime: 1)])
        #expect(state.run(T.chunk(1, "a"), now: at(1002)).contains(T.sending(1, T.chunk(1, "a"))), "a goes on")
        #expect(T.end(of: state.run(T.chunk(2, "b"), now: at(1002))) == .returned)
        #expect(state.zygoteReady(1, broken, now: at(1100)) == [.killZygote(runtime: 1)], "no better")
        let ended = state.zygoteEnded(1, "was killed", now: at(1101))
        #expect(T.health(ended).values.allSatisfy { $0?.reason == "no such function" })
        _ = state.completed(1, busy: 0, now: at(1200))
        #expect(state.run(T.chunk(3, "a"), now: at(1201)).contains(T.sending(1, T.chunk(3, "a"))))
        #expect(!state.tick(now: at(2700)).contains(.spawnZygote(runtime: 1)))
        #expect(state.tick(now: at(2701)).contains(.spawnZygote(runtime: 1)), "after a pause")
        let ready = state.zygoteReady(1, now: at(2800))
        #expect(T.health(ready) == ["b": nil])
        #expect(ready.contains(.fork(worker: 2, runtime: 1)))
        _ = state.forked(2, process: 102, now: at(2801))
        #expect(loaded(state.ready(2, now: at(2802)))["a"] != nil)
        #expect(state.completed(1, busy: 0, now: at(2900)).contains(.dismiss(worker: 1)))
        #expect(T.die(1, &state, code: 0, at(2901)).contains(.killZygote(runtime: 0)))
        #expect(T.end(of: state.run(T.chunk(4, "b"), now: at(2902))) == nil)
    }

    @Test func aRuntimeThatIsUnhealthyAsAWholeIsNotPreparedBesideItself() {
        var state = PoolState(slots: 1, runtimes: [rules("a", "b")], gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        _ = state.zygoteReady(0, [UnusableHandler(name: "b", reason: "no such function")], now: at(1))
        var now: Int64 = 2
        for number: UInt32 in 1...20 {
            _ = state.forked(number, process: 100 + Int32(number), now: at(now))
            _ = state.stepFailed(number, "no database", now: at(now))
            _ = T.die(number, &state, signal: SIGKILL, at(now))
            now += 20_000
            #expect(!state.tick(now: at(now)).contains(.spawnZygote(runtime: 1)))
        }
        #expect(state.lastWorker == 21, "its workers go on trying")
        #expect(state.runtimes.count == 1)
        // And when they come through, the broken one gets its try.
        _ = state.forked(state.lastWorker, process: 200, now: at(now))
        _ = state.ready(state.lastWorker, now: at(now))
        #expect(state.tick(now: at(now + 2000)).contains(.spawnZygote(runtime: 1)))
    }

    @Test func whatIsAddedIsNotUnhealthyForTheSakeOfTheOthers() {
        var state = T.readyState(slots: 1)
        state.preparationFailed(0, "no such module")
        _ = state.zygoteEnded(0, "was killed", now: at(1))
        _ = state.socketEnded(1, now: at(1))
        _ = state.collected(1, .init(finished: 0, runningSince: nil), now: at(1))
        let actions = state.reload([rules("square", "new")], now: at(2))
        #expect(T.health(actions) == ["new": nil])
        #expect(state.run(T.chunk(1, "new"), now: at(2)) == [], "it waits")
        let ready = state.zygoteReady(1, [UnusableHandler(name: "square", reason: "no such function")], now: at(3))
        #expect((T.health(ready)["square"] ?? nil)?.reason == "no such function")
        #expect(loaded(ready) == ["new": nil])
        T.start(2, &state, at(4))
        #expect(state.chunk(of: 2)?.id == 1)
    }

    @Test func whatIsAddedIsToldToBeWell() {
        var state = T.readyState(slots: 1)
        #expect(T.health(state.reload([rules("square", "new")], now: at(2))) == ["new": nil])
        // And so it is if it was gone in between.
        _ = state.reload([rules("square")], now: at(3))
        #expect(T.health(state.run(T.chunk(1, "new"), now: at(4)))["new"] != nil)
        #expect(T.health(state.reload([rules("square", "new")], now: at(5))) == ["new": nil])
    }

    @Test func whatIsAddedRunsThoughAnOldOneIsMissing() {
        var state = T.readyState(slots: 1)
        var new = rules("square", "new")
        new.generation = 7
        _ = state.reload([new], now: at(1))
        let actions = state.zygoteReady(1, [UnusableHandler(name: "square", reason: "missing")], now: at(2))
        #expect(
            actions.contains(
                .emit(.loaded(handlers: ["square"], problem: "square cannot run any more: missing", generation: 7))))
        #expect(actions.contains(.emit(.loaded(handlers: ["new"], problem: nil, generation: 7))))
        #expect(T.health(actions).isEmpty)
        #expect(state.places == ["square": 0, "new": 1])
        #expect(state.run(T.chunk(1), now: at(3)).contains(T.sending(1, T.chunk(1))), "the old one goes on")
        _ = state.completed(1, busy: 0, now: at(4))
        #expect(state.run(T.chunk(2, "new"), now: at(5)).contains(.fork(worker: 2, runtime: 1)))
        T.start(2, &state, at(6))
        #expect(state.chunk(of: 2)?.id == 2)
        // The next reload brings them together.
        _ = state.completed(2, busy: 0, now: at(7))
        _ = state.reload([rules("square", "new")], now: at(8))
        _ = state.zygoteReady(2, now: at(9))
        T.start(3, &state, at(10))
        #expect(state.places == ["square": 2, "new": 2])
    }

    @Test func loadedSaysWhichReloadItBelongsTo() {
        var state = halfBusy()
        var new = rules("square")
        for generation in 1...2 {
            new.generation = generation
            _ = state.reload([new], now: at(2))
        }
        state.preparationFailed(2, "no such module")
        #expect(
            state.zygoteEnded(2, "was killed", now: at(3))
                == [.emit(.loaded(handlers: ["square"], problem: "no such module", generation: 2))])
        // The old one, if it has to be prepared anew, is what it was.
        _ = state.zygoteEnded(0, "was killed", now: at(4))
        _ = state.tick(now: at(4))
        #expect(
            state.zygoteReady(0, now: at(5)).contains(
                .emit(.loaded(handlers: ["square"], problem: nil, generation: 0))))
    }

    @Test func theNewOneTakesOverWhenItsFirstWorkerIsReady() {
        var state = halfBusy()
        #expect(state.reload([rules("square")], now: at(2)) == [.spawnZygote(runtime: 1)])
        #expect(state.zygoteReady(1, now: at(3)) == [.fork(worker: 3, runtime: 1)], "beyond the slots")
        #expect(state.run(T.chunk(2), now: at(4)).contains(T.sending(1, T.chunk(2))), "the old one goes on")
        #expect(state.forked(3, process: 103, now: at(5)) == [])
        let actions = state.ready(3, now: at(6))
        #expect(loaded(actions) == ["square": nil])
        #expect(state.living == 2, "one too many has nothing to do")
        #expect(actions.contains(.dismiss(worker: 3)))
        #expect(!actions.contains(.killZygote(runtime: 0)), "its workers have chunks")
        // What comes now is for the new one.
        #expect(state.run(T.chunk(3), now: at(7)) == [])
        let first = state.completed(2, busy: 0, now: at(8))
        #expect(first.contains(.dismiss(worker: 2)) && first.contains(.fork(worker: 4, runtime: 1)))
        T.start(4, &state, at(9))
        #expect(state.chunk(of: 4)?.id == 3)
        #expect(T.die(2, &state, code: 0, at(10)).contains(.killZygote(runtime: 0)) == false)
        _ = state.completed(1, busy: 0, now: at(11))
        #expect(T.die(1, &state, code: 0, at(12)).contains(.killZygote(runtime: 0)))
        #expect(state.zygoteEnded(0, "was killed", now: at(13)) == [], "nobody misses it")
        #expect(!state.tick(now: at(5000)).contains(.spawnZygote(runtime: 0)))
        // Its place is free for the next one.
        #expect(state.reload([rules("square")], now: at(5001)) == [.spawnZygote(runtime: 0)])
    }

    @Test func anIdleOldOneEndsAtOnceAndTheFirstWorkerStays() {
        var state = T.readyState(slots: 2)
        _ = state.reload([rules("square")], now: at(2))
        _ = state.zygoteReady(1, now: at(3))
        _ = state.forked(3, process: 103, now: at(4))
        let actions = state.ready(3, now: at(5))
        #expect(actions.contains(.dismiss(worker: 1)) && actions.contains(.dismiss(worker: 2)))
        #expect(actions.contains(.fork(worker: 4, runtime: 1)))
        #expect(state.run(T.chunk(1), now: at(6)).contains(T.sending(3, T.chunk(1))))
    }

    @Test(arguments: ["reason", "crash", "step", "slow", "broken", "spawn"])
    func aNewOneThatFailsLeavesEverythingAsItWas(way: String) {
        var state = halfBusy()
        _ = state.reload([rules("square", "new")], now: at(2))
        _ = state.reload([rules("square")], now: at(3))
        var actions = state.zygoteEnded(1, "was killed", now: at(3))
        #expect(loaded(actions).isEmpty, "it was given up for the next one")
        var reason = "no such module"
        switch way {
        case "reason": state.preparationFailed(2, reason)
        case "step":
            _ = state.zygoteReady(2, now: at(4))
            _ = state.forked(3, process: 103, now: at(4))
            #expect(state.stepFailed(3, reason, now: at(5)).contains(.killZygote(runtime: 2)))
            #expect(
                T.die(3, &state, signal: SIGKILL, runtime: 2, at(5)).contains(.fork(worker: 4, runtime: 2)) == false)
        case "slow":
            #expect(state.tick(now: at(60_003)).contains(.killZygote(runtime: 2)))
            reason = "the preparation took longer than 60 s"
        case "broken":
            let broken = [UnusableHandler(name: "square", reason: reason)]
            #expect(state.zygoteReady(2, broken, now: at(4)) == [.killZygote(runtime: 2)])
        default: reason = "the preparation ended early: the zygote was killed"
        }
        actions = state.zygoteEnded(2, "was killed", now: at(60_004))
        #expect(loaded(actions) == ["square": reason])
        #expect(T.health(actions).isEmpty)
        #expect(!state.tick(now: at(99_999)).contains(.spawnZygote(runtime: 2)), "it is not tried again")
        #expect(T.end(of: state.run(T.chunk(2), now: at(99_999))) == nil)
        #expect(state.chunk(of: 1)?.id == 2)
        #expect(state.availableSlots == 2)
    }

    @Test func ofHandlersThatTheNewOneCannotRunNoneIsGivenUp() {
        var state = PoolState(slots: 1, runtimes: [rules("a", "b")], gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        _ = state.zygoteReady(0, [UnusableHandler(name: "b", reason: "missing")], now: at(1))
        // b cannot run anyway: it need not wait for a. And what is not better for a is not taken.
        _ = state.reload([rules("a", "b")], now: at(2))
        let broken = [UnusableHandler(name: "a", reason: "missing")]
        let actions = state.zygoteReady(1, broken, now: at(3))
        #expect(loaded(actions) == ["a": "a cannot run any more: missing", "b": nil])
        #expect(T.health(actions) == ["b": nil])
        #expect(state.places == ["a": 0, "b": 1])
        // Nor if nothing at all can run.
        _ = state.reload([rules("a", "b", "c")], now: at(4))
        let all = ["a", "c"].map { UnusableHandler(name: $0, reason: "missing") }
        #expect(state.zygoteReady(2, all, now: at(5)) == [.killZygote(runtime: 2)])
        let ended = state.zygoteEnded(2, "was killed", now: at(6))
        #expect(loaded(ended) == ["a": "a cannot run any more: missing", "b": "a cannot run any more: missing"])
        #expect(T.health(ended)["c"] != nil)
        #expect(state.tick(now: at(6)).contains(.spawnZygote(runtime: 2)), "c has nobody else")
        #expect(T.health(state.zygoteReady(2, now: at(7))) == ["c": nil])
    }

    @Test func whatHasNeverWorkedKeepsNothingFromBeingReplaced() {
        var state = PoolState(slots: 1, runtimes: [rules("a", "b", "c")], gracePeriod: .zero, now: at(0))
        let broken = ["b", "c"].map { UnusableHandler(name: $0, reason: "no \($0)") }
        let reasons: [String: Unhealthy?] = Dictionary(
            uniqueKeysWithValues: ["b", "c"].map { ($0, Unhealthy(reason: "no \($0)", retryAfter: 1)) })
        _ = state.tick(now: at(0))
        _ = state.zygoteReady(0, broken, now: at(1))
        T.start(1, &state, at(1))
        // They are tried anew in vain. Of each is told what is wrong with it.
        _ = state.tick(now: at(1001))
        _ = state.zygoteReady(1, broken, now: at(1100))
        let told = T.health(state.zygoteEnded(1, "was killed", now: at(1101)))
        #expect(told.mapValues { $0?.reason } == reasons.mapValues { $0?.reason })
        _ = state.reload([rules("a", "b", "c")], now: at(1200))
        #expect(T.health(state.zygoteReady(2, broken, now: at(1300))).allSatisfy { $0.value != nil })
        T.start(2, &state, at(1301))
        #expect(state.places == ["a": 2, "b": 2, "c": 2])
        // A third function that is missing now is another matter.
        let more = broken + [UnusableHandler(name: "a", reason: "no a")]
        #expect(state.reload([rules("a", "b", "c")], now: at(1400)).contains(.spawnZygote(runtime: 1)), "a free place")
        #expect(state.zygoteReady(1, more, now: at(1500)).contains(.killZygote(runtime: 1)))
        #expect(state.places["a"] == 2)
    }

    @Test func rulesHoldAtOnce() {
        var state = halfBusy()
        _ = state.reload([rules("square", timeout: 3)], now: at(2))
        let chunk = T.chunk(2, timeout: 3)
        #expect(
            state.run(T.chunk(2), now: at(3)).contains(T.sending(1, chunk, HandlerLimits(timeout: 3))))
    }

    @Test func aHandlerThatIsGoneGetsNothingAndFinishesWhatItHas() {
        var state = halfBusy()
        _ = state.run(T.chunk(2), now: at(2))
        _ = state.run(T.chunk(3), now: at(2))
        let actions = state.reload([rules("other")], now: at(3))
        #expect(actions.contains(.emit(.ended(chunk: 3, .returned))), "it had not begun")
        #expect(actions.contains(.emit(.slots(0))))
        let late = state.run(T.chunk(4), now: at(4))
        #expect((T.health(late)["square"] ?? nil)?.reason == "the handler is not registered")
        #expect(T.end(of: late) == .returned)
        #expect(state.completed(2, busy: 0, now: at(5)).contains(.emit(.ended(chunk: 1, .completed(busy: 0)))))
        // And back again.
        #expect(T.health(state.reload([rules("square", "other")], now: at(6))) == ["square": nil])
    }

    @Test func anAddedHandlerNeedNotWaitForTheOthers() {
        var state = T.readyState(slots: 1)
        _ = state.reload([rules("square", "new")], now: at(1))
        #expect(state.run(T.chunk(1, "new"), now: at(2)) == [])
        let ready = state.zygoteReady(1, now: at(3))
        #expect(loaded(ready) == ["new": nil])
        #expect(ready.contains(.dismiss(worker: 1)), "it gives way")
        T.start(2, &state, at(4))
        #expect(state.chunk(of: 2)?.id == 1)
        #expect(state.places == ["square": 1, "new": 1])
    }

    @Test func anAddedHandlerThatCannotBePreparedIsTriedAgain() {
        var state = T.readyState(slots: 1)
        _ = state.reload([rules("square", "new")], now: at(1))
        state.preparationFailed(1, "no such module")
        let actions = state.zygoteEnded(1, "was killed", now: at(2))
        #expect((T.health(actions)["new"] ?? nil)?.reason == "no such module")
        #expect(loaded(actions) == ["square": "no such module"])
        #expect(state.tick(now: at(2)).contains(.spawnZygote(runtime: 1)))
        state.preparationFailed(1, "no such module")
        #expect(loaded(state.zygoteEnded(1, "was killed", now: at(3))).isEmpty, "that is known")
        #expect(T.end(of: state.run(T.chunk(1), now: at(4))) == nil)
    }

    @Test func whatCannotRunIsReplacedAtOnce() throws {
        var state = T.readyState(slots: 1)
        state.preparationFailed(0, "no such module")
        _ = state.zygoteEnded(0, "was killed", now: at(1))
        _ = state.tick(now: at(1))
        state.preparationFailed(0, "no such module")
        _ = state.zygoteEnded(0, "was killed", now: at(2))
        let actions = state.reload([rules("square")], now: at(3))
        #expect(actions == [.spawnZygote(runtime: 1)], "without waiting for its turn")
        #expect(!state.tick(now: at(500)).contains(.spawnZygote(runtime: 0)))
        #expect(T.health(state.tick(now: at(1003))).isEmpty, "what is wrong is known better")
        #expect(T.health(state.zygoteReady(1, now: at(1004))) == ["square": nil])
    }

    @Test func theOldZygoteMayDieFirst() {
        var state = halfBusy()
        _ = state.reload([rules("square")], now: at(2))
        _ = state.zygoteEnded(0, "was killed", now: at(3))
        #expect(state.tick(now: at(3)).contains(.spawnZygote(runtime: 0)), "the new one may yet fail")
        _ = state.zygoteReady(1, now: at(4))
        _ = state.forked(3, process: 103, now: at(5))
        let actions = state.ready(3, now: at(6))
        #expect(loaded(actions) == ["square": nil])
        #expect(actions.contains(.killZygote(runtime: 0)), "while it prepares")
        #expect(T.end(of: state.run(T.chunk(2), now: at(7))) == nil)
        for orphan: UInt32 in 1...2 {
            _ = state.socketEnded(orphan, now: at(8))
            _ = state.collected(orphan, .init(finished: 0, runningSince: nil), now: at(8))
        }
        for number: UInt32 in 4...5 { T.start(number, &state, at(9)) }
        #expect(state.workers.values.contains { $0.work?.chunk.id == 2 && $0.runtime == 1 })
    }

    @Test func aRetiredZygoteThatDiesTakesItsChunksAlongAtNoCost() {
        var state = halfBusy()
        _ = state.reload([rules("square")], now: at(2))
        _ = state.zygoteReady(1, now: at(3))
        _ = state.forked(3, process: 103, now: at(4))
        _ = state.ready(3, now: at(5))
        _ = state.zygoteEnded(0, "was killed", now: at(6))
        _ = state.socketEnded(2, now: at(7))
        let actions = state.collected(2, .init(finished: 2, runningSince: at(1)), now: at(8))
        guard case .orphaned(2, _) = T.end(of: actions) else { return #expect(Bool(false), "\(actions)") }
        #expect(!state.tick(now: at(9)).contains(.spawnZygote(runtime: 0)))
        #expect(T.health(actions).isEmpty)
    }

    @Test func nothingIsReloadedAtTheEnd() {
        var state = T.readyState()
        _ = state.stop(now: at(1))
        #expect(state.reload([rules("square")], now: at(2)) == [])
    }

    @Test func aSnapshotShowsBoth() {
        var state = halfBusy()
        _ = state.reload([rules("square")], now: at(2))
        let look: (UInt32) -> PoolState.Look = { _ in PoolState.Look() }
        #expect(state.snapshot(now: at(3), zygotes: [:], look: look).runtimes.map(\.state) == [.ready, .starting])
        _ = state.zygoteReady(1, now: at(3))
        _ = state.forked(3, process: 103, now: at(4))
        _ = state.ready(3, now: at(5))
        #expect(state.snapshot(now: at(6), zygotes: [:], look: look).runtimes.map(\.state) == [.stopping, .ready])
    }
}
