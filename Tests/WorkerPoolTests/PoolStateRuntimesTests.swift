import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

@testable import WorkerPool

/// Zygotes that die, hang and recover, without a process and without a clock.
@Suite struct PoolStateRuntimesTests {
    private typealias Action = PoolState.Action
    private typealias T = StateHarness
    private func at(_ milliseconds: Int64) -> MonotonicTime { T.at(milliseconds) }

    @Test func aDeadZygoteTakesItsWorkersAlong() {
        var state = T.readyState(slots: 2)
        for id: UInt64 in 1...3 { _ = state.run(T.chunk(id), now: at(0)) }
        let actions = state.zygoteEnded(0, "was killed by SIGKILL", now: at(10))
        #expect(
            actions == [
                .emit(.slots(0)), .kill(worker: 1, signal: SIGKILL), .kill(worker: 2, signal: SIGKILL),
            ])
        #expect(state.availableSlots == 0)
        // The new zygote is there before the old workers are gone.
        #expect(state.tick(now: at(10)).first == .spawnZygote(runtime: 0))
        #expect(
            state.zygoteReady(0, now: at(11)) == [
                .emit(.slots(2)), .emit(.loaded(handlers: ["square"], problem: nil)),
            ])
        #expect(
            state.socketEnded(1, now: at(12)) == [
                .kill(worker: 1, signal: SIGKILL), .collect(worker: 1, state.chunk(of: 1)),
            ])
        let collected = state.collected(1, .init(finished: 1, runningSince: at(1)), now: at(12))
        #expect(collected.prefix(2) == [.drop(worker: 1), .adopt(process: 101)])
        #expect(T.end(of: collected) == .orphaned(position: 1, charged: nil))
        #expect(collected.last == .fork(worker: 3, runtime: 0))
        #expect(
            state.tick(now: at(1010)).contains(.collect(worker: 2, state.chunk(of: 2))), "whose socket stays open")
        // What had not started is kept for the new zygote.
        _ = state.forked(3, process: 103, now: at(1010))
        #expect(state.ready(3, now: at(1010)).contains(T.sending(3, T.chunk(3))))
    }

    @Test func aSolitaryChunkRunsBesideNobodyOfItsZygote() {
        var state = T.twoRuntimes(slots: 3)
        T.start(1, &state, at(0))
        _ = state.run(T.chunk(1, "a"), now: at(1))
        _ = state.run(T.chunk(2, "b"), now: at(1))
        T.start(2, &state, at(1))
        T.start(3, &state, at(1))
        let alone = T.chunk(3, "a", count: 1, isSolitary: true)
        #expect(
            state.run(alone, now: at(2)) == [.recall(worker: 1, chunk: 1), .recall(worker: 2, chunk: 2)],
            "it takes no other worker's place, though one is idle")
        _ = state.run(T.chunk(4, "b"), now: at(3))
        #expect(state.completed(1, finished: 1, busy: 0, now: at(4)) == [.emit(.ended(chunk: 1, .returned))])
        let last = T.die(2, &state, signal: SIGSEGV, finished: 2, runningSince: at(2), at(5))
        #expect(last.contains { if case .send(_, let next) = $0 { next.chunk == alone } else { false } })
        // Others wait for it, but not those of other runtimes.
        #expect(state.workers.values.count { $0.work != nil } == 1)
        let other = state.run(T.chunk(5, "c"), now: at(6))
        #expect(other.contains { if case .fork(_, runtime: 1) = $0 { true } else { false } })
        let number = state.workers.first { $0.value.work?.chunk.id == 3 }?.key ?? 0
        let behind = state.completed(number, busy: 0, now: at(7))
        #expect(behind.contains { if case .send(_, let next) = $0 { next.chunk.id == 4 } else { false } })
    }

    /// Lets the zygote die while the first job of chunk 1 runs.
    private func orphan(_ state: inout PoolState, _ how: String, _ time: Int64) -> ChunkEnd? {
        let number = state.workers.first { $0.value.work?.chunk.id == 1 }?.key ?? 0
        _ = state.zygoteEnded(0, how, now: at(time))
        _ = state.socketEnded(number, now: at(time))
        return T.end(of: state.collected(number, .init(finished: 0, runningSince: at(1)), now: at(time)))
    }

    @Test func whatWasAloneWhenItsZygoteDiedIsCharged() throws {
        var state = T.readyState(slots: 2)
        _ = state.run(T.chunk(1, count: 1, isSolitary: true), now: at(1))
        guard case .orphaned(0, let failure?) = orphan(&state, "was killed by SIGKILL", 20_000) else {
            return #expect(Bool(false))
        }
        #expect(failure.message.hasPrefix("the fork server was killed by SIGKILL while this job ran"))
        #expect(failure.death != nil)
        #expect(state.runtimes[0].unhealthy == nil)
    }

    @Test func deathsThatAJobIsChargedForSayNothingAboutTheZygote() {
        var state = T.readyState(slots: 1)
        for round in 1...5 {
            let time = Int64(round * 100)
            let number = state.workers.keys.max() ?? 0
            _ = state.run(T.chunk(UInt64(round), count: 1, isSolitary: true), now: at(time))
            let actions = state.zygoteEnded(0, "was killed by SIGKILL", now: at(time + 1))
            #expect(T.health(actions).isEmpty, "round \(round)")
            _ = state.socketEnded(number, now: at(time + 1))
            _ = state.collected(number, .init(finished: 0, runningSince: at(time)), now: at(time + 1))
            #expect(state.tick(now: at(time + 1)).contains(.spawnZygote(runtime: 0)), "at once")
            _ = state.zygoteReady(0, now: at(time + 2))
            T.start(number + 1, &state, at(time + 3))
        }
    }

    @Test func aZygoteThatWasGivenUpIsHeldAgainstNobody() {
        var state = T.readyState(slots: 2)
        _ = state.run(T.chunk(1, count: 1, isSolitary: true), now: at(1))
        _ = state.giveUpZygote(0, "it did not answer")
        #expect(orphan(&state, "was killed by SIGKILL", 20) == .returned)
    }

    @Test func solitudeIsGrantedForAWhileOnly() {
        func sent(_ actions: [PoolState.Action]) -> [UInt64] {
            actions.compactMap { if case .send(_, let next) = $0 { next.chunk.id } else { nil } }
        }
        let patience = PoolState.solitude.nanoseconds / 1_000_000
        var state = T.readyState(slots: 2)
        #expect(sent(state.run(T.chunk(1, count: 1, isSolitary: true), now: at(1))) == [1])
        #expect(sent(state.run(T.chunk(2), now: at(2))) == [])
        #expect(sent(state.tick(now: at(patience))) == [])
        #expect(sent(state.tick(now: at(1 + patience))) == [2], "it has kept others waiting for long enough")
        #expect(orphan(&state, "was killed", 2 + patience) == .orphaned(position: 0, charged: nil), "it is not alone")

        state = T.readyState(slots: 2)
        #expect(sent(state.run(T.chunk(1), now: at(1))) == [1])
        #expect(sent(state.run(T.chunk(2, count: 1, isSolitary: true), now: at(2))) == [])
        #expect(sent(state.tick(now: at(1 + patience))) == [])
        #expect(sent(state.tick(now: at(2 + patience))) == [2], "it has waited for long enough")
        #expect(state.workers.values.allSatisfy { $0.work?.isAlone != true })
        #expect(state.alarm.map { $0 > at(2 + patience) } ?? true)
    }

    @Test func aSolitaryChunkThatIsCancelledKeepsNobodyWaiting() {
        var state = T.readyState(slots: 3)
        _ = state.run(T.chunk(1), now: at(1))
        _ = state.run(T.chunk(2, count: 1, isSolitary: true), now: at(1))
        #expect(state.run(T.chunk(3), now: at(1)) == [], "it was there first")
        let actions = state.cancel(2, now: at(2))
        #expect(actions.prefix(2) == [.emit(.ended(chunk: 2, .returned)), T.sending(2, T.chunk(3))])
    }

    @Test func aZygoteThatKeepsDyingIsStartedMoreAndMoreSlowly() {
        var state = PoolState(slots: 1, runtimes: [T.rules("one", [])], gracePeriod: .zero, now: at(0))
        var now: Int64 = 0
        for delay: Int64 in [0, 100, 200, 400] {
            #expect(state.tick(now: at(now)) == [.spawnZygote(runtime: 0)])
            _ = state.zygoteEnded(0, "exited with status 1", now: at(now))
            #expect(state.alarm == at(now + delay))
            now += delay
        }
    }

    @Test func aFailedPreparationIsToldAndTriedAgain() throws {
        var state = T.twoRuntimes()
        _ = state.zygoteEnded(1, "was killed", now: at(10))
        _ = state.tick(now: at(10))
        _ = state.run(T.chunk(1, "c"), now: at(11))
        state.preparationFailed(1, "no such module")
        let actions = state.zygoteEnded(1, "exited with status 1", now: at(12))
        let unhealthy = try #require(T.health(actions)["c"] ?? nil)
        #expect(unhealthy.reason == "no such module")
        #expect(unhealthy.retryAfter >= 0.1)
        #expect(actions.contains(.emit(.ended(chunk: 1, .returned))), "it would take a slot")
        #expect(state.run(T.chunk(2, "c"), now: at(13)) == [.emit(.ended(chunk: 2, .returned))])
        #expect(T.end(of: state.run(T.chunk(3, "a"), now: at(13))) == nil, "others go on")
        #expect(state.availableSlots == 2)
        #expect(state.tick(now: at(112)).contains(.spawnZygote(runtime: 1)))
        #expect(T.health(state.zygoteReady(1, now: at(200))) == ["c": nil])
        #expect(state.run(T.chunk(4, "c"), now: at(201)).allSatisfy { T.end(of: [$0]) == nil })
    }

    @Test func aCrashInThePreparationIsSaid() {
        var state = PoolState(
            slots: 1, runtimes: [T.rules("one", [HandlerProfile(name: "a")])], gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        let health = T.health(state.zygoteEnded(0, "was killed by SIGSEGV", now: at(1)))
        #expect((health["a"] ?? nil)?.reason == "the preparation ended early: the zygote was killed by SIGSEGV")
    }

    @Test func aSlowPreparationKeepsNobodyWaitingAndAHangingOneIsKilled() {
        var state = PoolState(
            slots: 1,
            runtimes: [
                PoolState.RuntimeRules(
                    name: "one", handlers: [HandlerProfile(name: "a")], preparationTimeout: TimeSpan(seconds: 20))
            ], gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        _ = state.run(T.chunk(1, "a"), now: at(0))
        let slow = state.tick(now: at(1000))
        #expect((T.health(slow)["a"] ?? nil)?.reason == "the handler is being prepared")
        #expect(slow.last == .emit(.ended(chunk: 1, .returned)))
        #expect(!state.tick(now: at(19_999)).contains(.killZygote(runtime: 0)))
        #expect(state.tick(now: at(20_000)) == [.killZygote(runtime: 0)])
        let health = T.health(state.zygoteEnded(0, "was killed by SIGKILL", now: at(20_001)))
        #expect((health["a"] ?? nil)?.reason == "the preparation took longer than 20 s")
        #expect(state.tick(now: at(20_001)).contains(.spawnZygote(runtime: 0)))
    }

    @Test func handlersThatCannotBeUsedAreToldApart() {
        var state = PoolState(
            slots: 1, runtimes: [T.rules("one", ["a", "b"].map { HandlerProfile(name: $0) })], gracePeriod: .zero,
            now: at(0))
        _ = state.tick(now: at(0))
        let actions = state.zygoteReady(0, [UnusableHandler(name: "b", reason: "no such function")], now: at(1))
        #expect(T.health(actions).keys.sorted() == ["b"])
        #expect(T.end(of: state.run(T.chunk(1, "b"), now: at(2))) == .returned)
        #expect(T.end(of: state.run(T.chunk(2, "a"), now: at(2))) == nil)
        _ = state.zygoteEnded(0, "was killed", now: at(3))
        _ = state.tick(now: at(3))
        #expect(T.health(state.zygoteReady(0, now: at(4))) == ["b": nil], "prepared anew")
    }

    @Test func aRuntimeOfWhichNothingCanBeUsedIsTriedAgain() {
        var state = PoolState(
            slots: 1, runtimes: [T.rules("one", [HandlerProfile(name: "a")])], gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        #expect(
            state.zygoteReady(0, [UnusableHandler(name: "a", reason: "no such function")], now: at(1)) == [
                .killZygote(runtime: 0)
            ])
        let health = T.health(state.zygoteEnded(0, "was killed by SIGKILL", now: at(2)))
        #expect((health["a"] ?? nil)?.reason == "no such function")
    }

    @Test func aWorkersOwnStepThatFailsIsToldAndTriedAgain() {
        var state = PoolState(
            slots: 2, runtimes: [T.rules("one", [HandlerProfile(name: "a")])], gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        _ = state.zygoteReady(0, now: at(0))
        #expect(state.forked(1, process: 101, now: at(0)) == [], "one tries it")
        _ = state.run(T.chunk(1, "a"), now: at(0))
        let failed = state.stepFailed(1, "no database", now: at(1))
        #expect(failed.contains(.kill(worker: 1, signal: SIGKILL)))
        #expect((T.health(failed)["a"] ?? nil)?.reason == "no database")
        #expect(T.end(of: failed) == .returned)
        #expect(T.die(1, &state, code: 1, at(2)).last == .fork(worker: 2, runtime: 0), "at once, the first time")
        _ = state.forked(2, process: 102, now: at(2))
        _ = state.stepFailed(2, "no database", now: at(3))
        #expect(T.die(2, &state, code: 1, at(4)) == [.drop(worker: 2)])
        #expect(state.tick(now: at(103)).contains(.fork(worker: 3, runtime: 0)))
        #expect(state.forked(3, process: 103, now: at(103)) == [])
        let ready = state.ready(3, now: at(104))
        #expect(T.health(ready) == ["a": nil])
        #expect(ready.last == .fork(worker: 4, runtime: 0), "now the others")
    }

    @Test func oneFailedStepAmongOthersChangesNothing() {
        var state = T.readyState(slots: 2)
        #expect(T.die(1, &state, signal: SIGKILL, at(1)).last == .fork(worker: 3, runtime: 0))
        _ = state.forked(3, process: 103, now: at(1))
        #expect(T.health(state.stepFailed(3, "bad luck", now: at(2))).isEmpty)
    }

    @Test func aWorkerThatIsNotReadyInTimeIsKilled() {
        var state = PoolState(
            slots: 1, runtimes: [T.rules("one", [HandlerProfile(name: "a")])], gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        _ = state.zygoteReady(0, now: at(0))
        _ = state.forked(1, process: 101, now: at(0))
        let actions = state.tick(now: at(60_000))
        #expect(actions.contains(.kill(worker: 1, signal: SIGKILL)))
        #expect((T.health(actions)["a"] ?? nil)?.reason == "a worker was not ready within 60 s")
    }

    @Test func aZygoteThatDoesNotAnswerIsReplaced() {
        var state = T.readyState(slots: 1)
        _ = state.run(T.chunk(1), now: at(0))
        _ = T.die(1, &state, signal: SIGSEGV, runningSince: at(0), at(10))
        #expect(!state.tick(now: at(5009)).contains(.killZygote(runtime: 0)))
        #expect(state.tick(now: at(5010)).contains(.killZygote(runtime: 0)))
        let actions = state.zygoteEnded(0, "was killed by SIGKILL", now: at(5011))
        #expect(actions.contains(.collect(worker: 2, nil)))
        #expect(state.collected(2, .init(finished: 0, runningSince: nil), now: at(5011)).first == .drop(worker: 2))
        #expect(state.tick(now: at(5011)).contains(.spawnZygote(runtime: 0)))
    }

    @Test func aWorkerThatCouldNotBeForkedIsAskedForAgain() {
        var state = PoolState(slots: 1, runtimes: [T.rules("one", [])], gracePeriod: .zero, now: at(0))
        _ = state.tick(now: at(0))
        _ = state.zygoteReady(0, now: at(0))
        #expect(state.forkFailed(1, "no memory", now: at(0)) == [.drop(worker: 1), .fork(worker: 2, runtime: 0)])
        #expect(!state.forkFailed(2, "no memory", now: at(0)).contains(.fork(worker: 3, runtime: 0)))
        #expect(state.tick(now: at(100)).contains(.fork(worker: 3, runtime: 0)))
    }
}
