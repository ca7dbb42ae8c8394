import JobModel
import JobStore
import Logging
import Testing

@testable import Scheduling

struct HealthTests {
    private let ill = Unhealthy(reason: "its preparation failed", retryAfter: 3)

    @Test func `an unhealthy handler gets nothing, others go on`() throws {
        var bench = Bench(slots: 4)
        bench.state.setHealth(of: ["work", "nobody knows it"], ill)
        let batch = bench.submit(3)
        bench.submit(1, handler: "other")
        #expect(try bench.start().handler == "other")
        #expect(try bench.next() == nil)
        #expect(bench.state.unhealthyHandlers == ["work": ill])
        bench.state.setHealth(of: ["work"], nil)
        #expect(try bench.start().parts[0].batch == batch)
        #expect(bench.state.unhealthyHandlers.isEmpty)
    }

    @Test func `what comes back waits at no cost`() throws {
        var bench = Bench(slots: 2)
        let batch = bench.submit(1, options: .tries(1))
        let chunk = try bench.start()
        bench.state.setHealth(of: ["work"], ill)
        bench.end(of: chunk.id, .returned, at: bench.now)
        #expect(try bench.next() == nil)
        #expect(bench.state.running(in: batch) == 0)
        bench.state.setHealth(of: ["work"], nil)
        let again = try bench.start()
        #expect(again.parts[0].attempt == 1)
        bench.complete(again)
        bench.commit()
        #expect(bench.store.isFinished(batch))
        #expect(bench.store.stored(batch).attempts.isEmpty)
    }

    @Test func `a retry that falls due waits for health`() throws {
        var bench = Bench(slots: 2)
        bench.submit(1, options: .tries(2, rest: 1))
        let chunk = try bench.start()
        bench.end(of: chunk.id, .interrupted(position: 0, failure: .crash), at: bench.now)
        bench.state.setHealth(of: ["work"], ill)
        bench.advance(seconds: 2)
        #expect(try bench.next() == nil)
        bench.state.setHealth(of: ["work"], nil)
        #expect(try bench.start().parts[0].attempt == 2)
    }

    @Test func `a batch of an unhealthy handler can be cancelled`() throws {
        var bench = Bench(slots: 2)
        bench.state.setHealth(of: ["work"], ill)
        let batch = bench.submit(5)
        bench.store.requestCancel(batch)
        #expect(bench.state.cancel(batch, at: bench.now).isEmpty)
        bench.commit()
        #expect(bench.store.stored(batch).record.phase == .cancelled)
        bench.state.setHealth(of: ["work"], nil)
        #expect(try bench.next() == nil)
    }

    @Test func `the dispatcher tells of it and waits`() throws {
        let station = Station()
        try station.run {
            station.runner.tell([.health(handlers: ["work"], ill)])
            eventually("it is known") { station.dispatcher.unhealthy("work") == ill }
            eventually("it is told") { station.log.count(.error, "cannot run") == 1 }
            let batch = station.store.submit(BatchMaker.batch(number: 1, jobs: 3)).id
            station.runner.tell([.health(handlers: ["work"], nil)])
            eventually("it is finished") { station.store.isFinished(batch) }
            #expect(station.dispatcher.unhealthy("work") == nil)
        }
    }
}
