import JobModel
import Testing

@testable import Scheduling

struct FairnessTests {
    @Test(arguments: [1, 2, 4])
    func `one job behind a million goes into the very next chunk`(slots: Int) throws {
        var bench = Bench(slots: slots)
        try bench.learn(seconds: 1e-6)
        let large = bench.submit(1_000_000)
        var running: [Chunk] = []
        for _ in 0..<slots { running.append(try bench.start()) }
        for _ in 0..<20 {
            bench.complete(running.removeFirst())
            running.append(try bench.start())
        }
        let small = bench.submit(1)
        bench.complete(running.removeFirst())
        let next = try bench.start()
        #expect(next.parts.map(\.batch) == [small])
        running.append(next)
        bench.complete(running.removeFirst())
        #expect(try bench.start().parts.allSatisfy { $0.batch == large })
    }

    @Test func `large batches take turns chunk by chunk`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-5)
        for _ in 0..<3 { bench.submit(50_000) }
        var turns: [UInt64] = []
        for _ in 0..<9 {
            let chunk = try bench.start()
            turns.append(chunk.parts[0].batch.ulid.low)
            bench.complete(chunk)
        }
        #expect(Set(turns[0..<3]) == [1, 2, 3])
        #expect(Set(turns[3..<6]) == [1, 2, 3])
        #expect(Set(turns[6..<9]) == [1, 2, 3])
    }

    @Test func `a stream of small batches does not hold up a large one`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-5)
        let large = bench.submit(1_000_000)
        var chunksOfLarge = 0
        for _ in 0..<100 {
            bench.submit(1)
            let chunk = try bench.start()
            if chunk.parts[0].batch == large { chunksOfLarge += 1 }
            bench.complete(chunk)
            bench.commit()
        }
        #expect(chunksOfLarge >= 24)
        #expect(bench.state.places.count <= 3, "the small ones got through as well")
    }

    @Test func `a higher priority goes first`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-5)
        let low = bench.submit(10_000, options: BatchOptions(priority: -1))
        bench.complete(try bench.start())
        let high = bench.submit(5000, options: BatchOptions(priority: 7))
        let middle = bench.submit(1)
        var order: [BatchID] = []
        while let chunk = try bench.next() {
            if order.last != chunk.parts[0].batch { order.append(chunk.parts[0].batch) }
            bench.complete(chunk)
        }
        #expect(order == [high, middle, low])
    }
}
