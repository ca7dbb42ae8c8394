import JobModel
import Platform
import Testing
import WorkerKit

@testable import WorkerPool

/// Short ways to build what tests of the pool's state need.
enum StateHarness {
    static func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000 * (1000 + milliseconds))
    }

    static func chunk(
        _ id: UInt64, _ handler: String = "square", count: Int = 10, timeout: Double? = nil, shared: SharedValue? = nil,
        isSolitary: Bool = false
    ) -> Chunk {
        let input = Array([String](repeating: "1", count: count).joined(separator: ",").utf8)
        let part = Chunk.Part(
            batch: BatchID(ULID(high: 1, low: 1)), first: 0, count: count, attempt: 1, input: input)
        return Chunk(id: id, handler: handler, timeout: timeout, shared: shared, isSolitary: isSolitary, parts: [part])
    }

    static func sending(
        _ worker: UInt32, _ chunk: Chunk, _ limits: HandlerLimits = HandlerLimits(), shared: Bool = false
    ) -> PoolState.Action {
        .send(worker: worker, PoolState.Assignment(chunk: chunk, limits: limits, sendsShared: shared))
    }

    static func rules(_ name: String, _ handlers: [HandlerProfile]) -> PoolState.RuntimeRules {
        PoolState.RuntimeRules(name: name, handlers: handlers)
    }

    /// A pool with one runtime, whose workers 1... are processes 101... and ready.
    static func readyState(
        slots: Int = 2, grace: Int64 = 1000, _ profile: HandlerProfile = HandlerProfile(name: "square"),
        follows: Bool = false
    ) -> PoolState {
        var state = PoolState(
            slots: slots, runtimes: [rules("swift", [profile])], gracePeriod: .milliseconds(grace),
            followsAllowance: follows, now: at(0))
        #expect(state.tick(now: at(0)) == [.spawnZygote(runtime: 0)])
        #expect(
            state.zygoteReady(0, now: at(0)) == [
                .emit(.slots(slots)), .emit(.loaded(handlers: [profile.name], problem: nil)),
                .fork(worker: 1, runtime: 0),
            ])
        for number in 1...UInt32(slots) { start(number, &state, at(0)) }
        return state
    }

    /// Runtime 0 with handlers a and b, runtime 1 with handler c, both prepared; a worker of the first is asked for.
    static func twoRuntimes(slots: Int = 2) -> PoolState {
        var state = PoolState(
            slots: slots,
            runtimes: [
                rules("one", ["a", "b"].map { HandlerProfile(name: $0) }),
                rules("two", [HandlerProfile(name: "c")]),
            ], gracePeriod: .milliseconds(1000), now: at(0))
        #expect(state.tick(now: at(0)) == [.spawnZygote(runtime: 0), .spawnZygote(runtime: 1)])
        _ = state.zygoteReady(0, now: at(0))
        #expect(state.zygoteReady(1, now: at(0)) == [.emit(.loaded(handlers: ["c"], problem: nil))])
        return state
    }

    /// Forks a worker that was asked for, as the process with its number and 100 more.
    static func start(_ number: UInt32, _ state: inout PoolState, _ now: MonotonicTime) {
        _ = state.forked(number, process: Int32(100 + number), now: now)
        _ = state.ready(number, now: now)
    }

    static func exit(_ process: Int32, signal: Int32? = nil, code: Int32? = nil) -> ProcessExit {
        ProcessExit(processID: process, exitCode: code, signal: signal, cpuSeconds: 2, peakResidentBytes: 3)
    }

    static func end(of actions: [PoolState.Action]) -> ChunkEnd? {
        actions.compactMap { if case .emit(.ended(_, let end)) = $0 { end } else { nil } }.first
    }

    static func interruption(_ actions: [PoolState.Action]) throws -> (position: Int, failure: Failure) {
        guard case .interrupted(let position, let failure) = end(of: actions) else {
            throw Unexpected(end: end(of: actions))
        }
        return (position, failure)
    }

    struct Unexpected: Error {
        let end: ChunkEnd?
    }

    /// What is said about the health of handlers.
    static func health(_ actions: [PoolState.Action]) -> [String: Unhealthy?] {
        var health: [String: Unhealthy?] = [:]
        for case .emit(.health(let handlers, let unhealthy)) in actions {
            for handler in handlers { health.updateValue(unhealthy, forKey: handler) }
        }
        return health
    }

    /// A worker dies as the zygote has seen, and its remains are collected.
    static func die(
        _ number: UInt32, _ state: inout PoolState, signal: Int32? = nil, code: Int32? = nil, runtime: Int = 0,
        finished: Int = 0, runningSince: MonotonicTime? = nil, _ now: MonotonicTime
    ) -> [PoolState.Action] {
        let exit = exit(Int32(100 + number), signal: signal, code: code)
        #expect(
            state.exited(exit, runtime: runtime, now: now) == [.collect(worker: number, state.chunk(of: number))])
        return state.collected(number, .init(finished: finished, runningSince: runningSince), now: now)
    }
}
