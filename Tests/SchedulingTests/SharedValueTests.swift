import JobModel
import JobStore
import Testing

@testable import Scheduling

struct SharedValueTests {
    @Test func `each chunk of the batch has it, and jobs of no other batch`() throws {
        var bench = Bench(slots: 4)
        try bench.learn(seconds: 1e-6)
        let sharing = bench.submit(3, shared: "{\"a\":1}")
        let other = bench.submit(3, shared: "[2]")
        let plain = [bench.submit(2), bench.submit(2)]
        let reads = bench.store.reads
        let chunks = [try bench.start(), try bench.start(), try bench.start()]
        #expect(try bench.next() == nil)
        #expect(chunks[0].shared == SharedValue(batch: sharing, bytes: Array("{\"a\":1}".utf8)))
        #expect(chunks[0].parts.map(\.batch) == [sharing])
        #expect(chunks[1].shared?.batch == other)
        #expect(chunks[1].parts.map(\.batch) == [other])
        #expect(chunks[2].shared == nil)
        #expect(chunks[2].parts.map(\.batch) == plain)
        #expect(bench.store.reads > reads)
    }

    @Test func `it is read once and dropped with its batch`() throws {
        var bench = Bench(slots: 1)
        let batch = bench.submit(4, options: .chunks(.exactly(1)), shared: "7")
        bench.complete(try bench.start())
        let reads = bench.store.reads
        for _ in 0..<3 { bench.complete(try bench.start()) }
        #expect(bench.store.reads == reads, "the payloads and the value are in memory")
        let kept = bench.state.sharedValues.use(batch)
        #expect(kept != nil)
        bench.commit()
        #expect(bench.store.isFinished(batch))
        let dropped = bench.state.sharedValues.use(batch)
        #expect(dropped == nil)
    }

    @Test func `those that were used last stay in memory`() {
        var values = SharedValues(limit: 400_000)
        func id(_ number: UInt64) -> BatchID { BatchID(ULID(high: 0, low: number)) }
        for number in 1...3 as ClosedRange<UInt64> {
            values.keep(SharedValue(batch: id(number), bytes: Array(repeating: 48, count: 50_000)))
        }
        _ = values.use(id(1))
        values.keep(SharedValue(batch: id(4), bytes: Array(repeating: 48, count: 50_000)))
        let some = [1, 2, 3, 4].map { values.use(id($0)) != nil }
        #expect(some == [true, false, true, true])
        values.keep(SharedValue(batch: id(5), bytes: Array(repeating: 48, count: 1_000_000)))
        let last = [1, 3, 4, 5].map { values.use(id($0)) != nil }
        #expect(last == [false, false, false, true])
    }

    @Test func `a value that is missing stops everything`() throws {
        let station = Station()
        try station.run {
            var record = station.store.submit(BatchMaker.batch(number: 1, jobs: 1, handler: "elsewhere"))
            record.handler = "work"
            record.sharedBytes = 10
            station.dispatcher.storeDidCommit([.submitted(record)])
            eventually("it is told") { station.fatal.count == 1 }
        }
    }

    @Test func `the trace context reaches each part`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-6)
        let context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        bench.submit(1, options: BatchOptions(traceparent: context))
        bench.submit(1)
        #expect(try bench.start().parts.map(\.traceparent) == [context, nil])
    }
}
