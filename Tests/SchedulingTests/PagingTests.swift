import JobModel
import JobStore
import Testing

@testable import Scheduling

struct PagingTests {
    private var limits: ScheduleLimits {
        var limits = ScheduleLimits()
        (limits.lane, limits.allLanes, limits.smallestLane, limits.page) = (8, 12, 2, 3)
        return limits
    }

    @Test func `a submitted batch needs no query`() throws {
        var bench = Bench()
        bench.submit(1)
        #expect(bench.state.places.count == 1)
        #expect(bench.state.nextPage() == nil)
        #expect(bench.store.reads == 0)
    }

    @Test func `what does not fit is read when there is room again`() throws {
        var bench = Bench(slots: 1, limits: limits)
        let batches = (0..<50).map { _ in bench.submit(2) }
        #expect(bench.state.places.count == 8)
        #expect(bench.state.nextPage() == nil, "only when half of the lane is done")
        var order: [BatchID] = []
        while let chunk = try bench.next() {
            order += chunk.parts.map(\.batch)
            bench.complete(chunk)
            bench.commit()
            try bench.readPages()
            #expect(bench.state.places.count <= 8)
        }
        #expect(batches.allSatisfy(bench.store.isFinished))
        #expect(order.first == batches.first)
        #expect(bench.state.lanes.allSatisfy { !$0.hasMore })
        bench.submit(1)
        #expect(bench.state.places.count == 1, "without a backlog, straight into memory")
    }

    @Test func `the backlog goes before what comes later`() throws {
        var bench = Bench(slots: 1, limits: limits)
        let batches = (0..<10).map { _ in bench.submit(1, options: .chunks(.exactly(1))) }
        for _ in 0..<2 {
            bench.complete(try bench.start())
            bench.commit()
        }
        let late = bench.submit(1, options: .chunks(.exactly(1)))
        #expect(bench.state.places[late] == nil, "two are before it in the store")
        var order: [BatchID] = []
        try bench.readPages()
        while let chunk = try bench.next() {
            order.append(chunk.parts[0].batch)
            bench.complete(chunk)
            bench.commit()
            try bench.readPages()
        }
        #expect(order == Array(batches[2...]) + [late])
    }

    @Test func `an identifier that comes out of order is not lost`() throws {
        var bench = Bench(slots: 1, limits: limits)
        let numbers: [UInt64] = [10, 11, 12, 13, 14, 15, 16, 18, 17, 5]
        for number in numbers {
            _ = bench.state.submitted(bench.store.submit(BatchMaker.batch(number: number, jobs: 1)))
        }
        #expect(bench.state.places.count == 8)
        while let chunk = try bench.next() {
            bench.complete(chunk)
            bench.commit()
            try bench.readPages()
        }
        for number in numbers { #expect(bench.store.isFinished(BatchID(ULID(high: 1, low: number)))) }
    }

    @Test func `a batch that was read before the news of it runs once`() throws {
        var bench = Bench(slots: 1)
        let record = bench.store.submit(bench.maker.batch(jobs: 5))
        try bench.restart()
        let isKnown = bench.state.submitted(record)
        #expect(isKnown)
        #expect(bench.state.places.count == 1)
        try bench.runAll()
        #expect(bench.store.isFinished(record.id))
    }

    @Test func `a restart finds what is left, by priority`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 0.001)
        let low = bench.submit(100, options: BatchOptions(priority: -5))
        let high = bench.submit(100, options: BatchOptions(priority: 5))
        let chunk = try bench.start()
        bench.complete(chunk)
        bench.commit()
        _ = try bench.start()
        try bench.restart()
        #expect(bench.state.lanes.map(\.priority) == [5, -5])
        var order: [BatchID] = []
        while let chunk = try bench.next() {
            #expect(chunk.hasRightInputs)
            if order.last != chunk.parts[0].batch { order.append(chunk.parts[0].batch) }
            bench.complete(chunk)
            bench.commit()
        }
        #expect(order == [high, low])
        #expect(bench.store.isFinished(low) && bench.store.isFinished(high))
    }

    @Test func `batches of an unknown handler stay where they are and block nobody`() throws {
        var bench = Bench(slots: 1, limits: limits)
        for _ in 0..<20 { bench.store.submit(bench.maker.batch(jobs: 1, handler: "gone")) }
        let batch = bench.store.submit(bench.maker.batch(jobs: 1)).id
        bench.state.recover(lanes: [WorkLane(priority: 0)])
        var unknown = 0
        while let request = bench.state.nextPage() {
            let page = try bench.store.unfinishedBatches(in: request.work, after: request.after, limit: request.limit)
            unknown += bench.state.loaded(page, for: request, at: bench.now)["gone"] ?? 0
        }
        #expect(unknown == 20)
        try bench.runAll()
        #expect(bench.store.isFinished(batch))
        let isKnown = bench.state.submitted(bench.store.submit(bench.maker.batch(jobs: 1, handler: "gone")))
        #expect(!isKnown)
        #expect(bench.state.places.isEmpty)
    }

    @Test func `all lanes together are bounded, and none is shut out`() throws {
        var bench = Bench(slots: 1, limits: limits)
        for priority in 0..<4 {
            for _ in 0..<8 { bench.submit(1, options: BatchOptions(priority: priority)) }
        }
        #expect(bench.state.lanes.map(\.loaded) == [8, 4, 2, 2])
    }

    @Test func `pages follow the commits when the clock was set back`() throws {
        var bench = Bench(slots: 1, limits: limits)
        // The last ones of before the restart have the largest identifiers.
        let numbers: [UInt64] = [100, 101, 102, 103, 104, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
        let batches = numbers.map { bench.store.submit(BatchMaker.batch(number: $0, jobs: 1)).id }
        bench.state.recover(lanes: [WorkLane(priority: 0)])
        var order: [BatchID] = []
        for _ in 0..<100 {
            if let request = bench.state.nextPage() {
                let page = try bench.store.unfinishedBatches(
                    in: request.work, after: request.after, limit: request.limit)
                _ = bench.state.loaded(page, for: request, at: bench.now)
            } else if let chunk = try bench.next() {
                order += chunk.parts.map(\.batch)
                bench.complete(chunk)
                bench.commit()
            }
        }
        #expect(order == batches)
        #expect(bench.state.nextPage() == nil)
    }

    @Test func `the same page over and over is not asked for for ever`() throws {
        var bench = Bench(slots: 1, limits: limits)
        for _ in 0..<3 { bench.store.submit(bench.maker.batch(jobs: 1)) }
        let page = try bench.store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 3)
        bench.state.recover(lanes: [WorkLane(priority: 0)])
        var requests = 0
        while requests < 10, let request = bench.state.nextPage() {
            requests += 1
            _ = bench.state.loaded(page, for: request, at: bench.now)
        }
        #expect(requests == 2)
    }

    /// Lets everything that can run now fail, so that it rests.
    private func failAll(_ bench: inout Bench) throws {
        while let chunk = try bench.next() {
            bench.hear(
                of: chunk.id, position: 0, runs: Array(repeating: .failed(.exception), count: chunk.count),
                at: bench.now)
            bench.end(of: chunk.id, .completed(busy: 0.001), at: bench.now)
            bench.commit()
        }
    }

    @Test func `batches that only rest shut nobody out`() throws {
        var bench = Bench(slots: 1, limits: limits)
        let resting = (0..<20).map { _ in bench.submit(1, options: .tries(2, rest: 3600)) }
        for _ in 0..<20 {
            try failAll(&bench)
            try bench.readPages()
        }
        #expect(resting.allSatisfy { bench.store.stored($0).attempts.count == 1 })
        let batch = bench.submit(1)
        try bench.runAll()
        #expect(bench.store.isFinished(batch))

        // The same after a restart; and then they are awake, and count.
        try bench.restart()
        #expect(bench.state.places.count == 20)
        let other = bench.submit(1)
        try bench.runAll()
        #expect(bench.store.isFinished(other))
        bench.advance(seconds: 3600)
        #expect(bench.state.room(in: 0) < 0)
        try bench.runAll()
        #expect(resting.allSatisfy(bench.store.isFinished))
        #expect(bench.state.lanes.allSatisfy { $0.loaded == 0 && $0.dormant == 0 })
    }

    @Test func `what rests is bounded, too`() throws {
        var limits = limits
        limits.dormantBatches = 10
        var bench = Bench(slots: 1, limits: limits)
        for _ in 0..<40 { bench.submit(1, options: .tries(2, rest: 3600)) }
        for _ in 0..<40 {
            try failAll(&bench)
            try bench.readPages()
        }
        #expect((10...22).contains(bench.state.places.count))
    }
}
