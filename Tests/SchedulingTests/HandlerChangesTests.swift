import JobModel
import JobStore
import Logging
import Testing

@testable import Scheduling

struct HandlerChangesTests {
    private func profiles(_ names: String...) -> [HandlerProfile] { names.map { HandlerProfile(name: $0) } }

    /// As the dispatcher does it. Returns whether there was one that was not registered.
    @discardableResult
    private func register(_ names: String..., in bench: inout Bench) throws -> Bool {
        let hasNew = bench.state.setHandlers(names.map { HandlerProfile(name: $0) })
        bench.state.setHealth(of: names, nil)
        if hasNew {
            bench.state.recover(lanes: try bench.store.unfinishedLanes())
            try bench.readPages()
        }
        return hasNew
    }

    @Test func `what is left of a handler that is gone waits, and what runs ends`() throws {
        var bench = Bench(slots: 2)
        let batch = bench.submit(20, options: .chunks(.exactly(10)))
        let first = try bench.start()
        let hasNew = try register("other", in: &bench)
        #expect(!hasNew)
        #expect(try bench.next() == nil)
        bench.complete(first)
        bench.commit()
        #expect(bench.state.places[batch].map { bench.state.work[$0].open } == 10, "it is recorded")
        let isBack = try register("work", "other", in: &bench)
        #expect(isBack)
        try bench.runAll()
        #expect(bench.store.isFinished(batch))
        #expect(bench.store.stored(batch).attempts.isEmpty)
    }

    @Test func `chunks beyond a handler's lowered limit are recalled`() throws {
        var bench = Bench(slots: 3)
        bench.submit(30, options: .chunks(.exactly(10)))
        let chunks = try (0..<3).map { _ in try bench.start() }
        _ = bench.state.setHandlers([HandlerProfile(name: "work", concurrency: 1), HandlerProfile(name: "other")])
        #expect(bench.state.recallExcess() == [chunks[1].id, chunks[2].id])
        _ = bench.state.setHandlers(profiles("other"))
        #expect(bench.state.recallExcess() == [], "what runs of a handler that is gone goes on")
    }

    @Test func `what is cancelled or put out of memory meanwhile is not counted any more`() throws {
        var bench = Bench(slots: 2)
        let cancelled = bench.submit(2)
        let paused = bench.submit(2, options: BatchOptions(queue: "q"))
        try register("other", in: &bench)
        #expect(bench.state.lanes.map(\.dormant) == [1, 1])
        bench.store.requestCancel(cancelled)
        _ = bench.state.cancel(cancelled, at: bench.now)
        bench.commit()
        bench.configure("q", QueueSettings(isPaused: true))
        #expect(bench.state.lanes.map(\.dormant) == [0, 0])
        bench.configure("q", QueueSettings())
        try register("work", "other", in: &bench)
        try bench.runAll()
        #expect(bench.store.isFinished(cancelled) && bench.store.isFinished(paused))
    }

    @Test func `what comes back waits, and a retry as well`() throws {
        var bench = Bench(slots: 2)
        let batch = bench.submit(2, options: .tries(2, rest: 1))
        let chunk = try bench.start()
        _ = bench.state.setHandlers([])
        bench.end(of: chunk.id, .interrupted(position: 0, failure: .crash), at: bench.now)
        bench.advance(seconds: 2)
        #expect(try bench.next() == nil)
        _ = bench.state.setHandlers(profiles("work"))
        bench.state.setHealth(of: ["work"], nil)
        try bench.runAll()
        #expect(bench.store.isFinished(batch))
        #expect(bench.store.stored(batch).attempts.count == 1)
    }

    @Test func `what is new is not handed out before it is said how it is`() throws {
        var bench = Bench(slots: 2, handlers: ["other"])
        let batch = bench.submit(2)
        _ = bench.state.setHandlers(profiles("work", "other"))
        bench.state.recover(lanes: try bench.store.unfinishedLanes())
        try bench.readPages()
        #expect(try bench.next() == nil)
        #expect(bench.state.unhealthyHandlers["work"]?.acceptsJobs == true)
        #expect(bench.state.unhealthyHandlers["other"] == nil, "it was there before")
        bench.state.setHealth(of: ["work"], nil)
        #expect(try bench.start().parts[0].batch == batch)
        // The same when it comes back.
        _ = bench.state.setHandlers(profiles("other"))
        _ = bench.state.setHandlers(profiles("work", "other"))
        #expect(bench.state.unhealthyHandlers["work"] != nil)
    }

    @Test func `a handler that is gone shuts nobody out`() throws {
        var limits = ScheduleLimits()
        (limits.lane, limits.allLanes, limits.smallestLane, limits.page) = (8, 12, 2, 3)
        var bench = Bench(slots: 1, limits: limits)
        let left = (0..<30).map { _ in bench.submit(1) }
        try register("other", in: &bench)
        let others = (0..<30).map { _ in bench.submit(1, handler: "other") }
        try bench.readPages()
        while let chunk = try bench.next() {
            bench.complete(chunk)
            bench.commit()
            try bench.readPages()
        }
        #expect(others.allSatisfy(bench.store.isFinished))
        #expect(!left.contains(where: bench.store.isFinished))
        try register("work", "other", in: &bench)
        while let chunk = try bench.next() {
            bench.complete(chunk)
            bench.commit()
            try bench.readPages()
        }
        #expect(left.allSatisfy(bench.store.isFinished))
    }

    @Test func `batches of a handler that comes later are found in the store, each once`() throws {
        var bench = Bench(slots: 1, handlers: ["other"])
        let early = bench.submit(3)
        let other = bench.submit(3, handler: "other")
        #expect(bench.state.places.count == 1)
        try register("work", "other", in: &bench)
        #expect(bench.state.places.count == 2)
        let hasNew = try register("work", "other", in: &bench)
        #expect(!hasNew)
        try bench.runAll()
        #expect(bench.store.isFinished(early) && bench.store.isFinished(other))
    }

    @Test func `a new bound of concurrency holds at once`() throws {
        var bench = Bench(slots: 4)
        bench.submit(40, options: .chunks(.exactly(1)))
        _ = try bench.start()
        _ = bench.state.setHandlers([HandlerProfile(name: "work", concurrency: 2)])
        let second = try bench.start()
        #expect(try bench.next() == nil)
        bench.complete(second)
        #expect(try bench.start().count == 1)
        _ = bench.state.setHandlers(profiles("work"))
        _ = try bench.start()
        _ = try bench.start()
    }

    @Test func `a batch of a handler that is gone can be cancelled`() throws {
        var bench = Bench(slots: 1)
        let batch = bench.submit(5)
        _ = bench.state.setHandlers([])
        bench.store.requestCancel(batch)
        #expect(bench.state.cancel(batch, at: bench.now).isEmpty)
        bench.commit()
        #expect(bench.store.stored(batch).record.phase == .cancelled)
    }

    @Test func `the dispatcher finds what waited for a handler`() throws {
        let station = Station(handlers: [HandlerProfile(name: "other")])
        try station.run {
            let early = station.store.submit(BatchMaker.batch(number: 1, jobs: 3)).id
            eventually("it is told") { station.log.count(.warning, "not registered") == 1 }
            // Who runs it hears of it when nothing of the others can come any more, and says then how it is.
            station.dispatcher.setHandlers([HandlerProfile(name: "work")]) {
                station.dispatcher.handle(.health(handlers: ["work"], nil))
            }
            eventually("it is finished") { station.store.isFinished(early) }
            let late = station.store.submit(BatchMaker.batch(number: 2, jobs: 3, handler: "other")).id
            let next = station.store.submit(BatchMaker.batch(number: 3, jobs: 3)).id
            eventually("others go on") { station.store.isFinished(next) }
            #expect(!station.store.isFinished(late))
        }
    }
}
