import JobModel
import JobStore
import Testing

@testable import Scheduling

struct ChunkCompositionTests {
    @Test func `whole segments go as they are`() throws {
        var bench = Bench()
        try bench.learn(seconds: 1e-6)
        bench.submit(100_000)
        let chunk = try bench.start()
        #expect(chunk.count == 8192)
        #expect(chunk.parts.count == 9)
        #expect(chunk.hasRightInputs)
        let second = try bench.start()
        #expect(second.parts.first?.first == 8192)
        #expect(second.hasRightInputs)
    }

    @Test func `no more than about a mebibyte of input`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-6)
        let payload = Array(("\"" + String(repeating: "x", count: 300_000) + "\"").utf8)
        let segments = (0..<20).map { Segment(first: $0, count: 1, input: payload) }
        let batch = NewBatch(
            id: BatchID(ULID(high: 1, low: 1)), handler: "work", options: BatchOptions(),
            createdAt: Timestamp(microseconds: 0), segments: segments)
        _ = bench.state.submitted(bench.store.submit(batch))
        #expect(try bench.start().count == 4)
    }

    @Test(arguments: [1, 7, 100, 1500])
    func `an exact size is honoured across segments`(size: Int) throws {
        var bench = Bench(slots: 1)
        bench.submit(3100, options: .chunks(.exactly(size)))
        bench.submit(5)
        var sizes: [Int] = []
        while let chunk = try bench.next() {
            #expect(chunk.hasRightInputs)
            if chunk.parts[0].batch.ulid.low == 1 {
                sizes.append(chunk.count)
                #expect(chunk.parts.allSatisfy { $0.batch.ulid.low == 1 })
            }
            bench.complete(chunk)
        }
        #expect(sizes.dropLast().allSatisfy { $0 == size })
        #expect(sizes.reduce(0, +) == 3100)
    }

    @Test func `the size of Pool.map`() throws {
        var bench = Bench(slots: 2)
        bench.submit(1001, options: .chunks(.python))
        var sizes: [Int] = []
        while let chunk = try bench.next() {
            sizes.append(chunk.count)
            bench.complete(chunk)
        }
        #expect(sizes == [126, 126, 126, 126, 126, 126, 126, 119])
    }

    @Test func `small batches of one handler share a chunk`() throws {
        var bench = Bench()
        try bench.learn(seconds: 1e-6)
        try bench.learn("other", seconds: 1e-6)
        for _ in 0..<3 { bench.submit(1) }
        bench.submit(2, handler: "other")
        bench.submit(1, options: BatchOptions(timeout: 5))
        bench.submit(1, options: .chunks(.exactly(4)))
        bench.submit(3)
        let shared = try bench.start()
        #expect(shared.contents == ["1:0..<1", "2:0..<1", "3:0..<1", "7:0..<3"])
        #expect(shared.hasRightInputs)
        let other = try bench.start()
        #expect(other.handler == "other" && other.contents == ["4:0..<2"])
    }

    @Test func `unknown jobs are spread one by one`() throws {
        var bench = Bench(slots: 3)
        for _ in 0..<2 { bench.submit(1) }
        #expect(try bench.start().contents == ["1:0..<1"])
        #expect(try bench.start().contents == ["2:0..<1"])
    }

    @Test func `slow jobs are spread as long as slots are free`() throws {
        var bench = Bench(slots: 3)
        try bench.learn(seconds: 0.006, jobs: 100)
        for _ in 0..<12 { bench.submit(1) }
        #expect(try bench.start().count == 1)
        #expect(try bench.start().count == 1)
        #expect(try bench.start().count == 2, "two of ten on the last slot, as the others will be free soon")
        #expect(try bench.next() == nil)
    }

    @Test func `a batch too large for the chunk is passed over`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-4)
        bench.submit(1)
        bench.submit(200)
        bench.submit(1)
        let chunk = try bench.start()
        #expect(chunk.contents == ["1:0..<1", "3:0..<1"])
    }

    @Test func `no more chunks than slots`() throws {
        var bench = Bench(slots: 2)
        bench.submit(100)
        let first = try bench.start()
        _ = try bench.start()
        #expect(try bench.next() == nil)
        bench.complete(first)
        #expect(try bench.next() != nil)
        bench.state.planner.slots = 0
        #expect(try bench.next() == nil)
        bench.state.planner.slots = 3
        #expect(try bench.next() != nil)
    }

    @Test func `inputs in memory are bounded`() throws {
        var limits = ScheduleLimits()
        limits.readAhead = 4000
        limits.allReadAhead = 20_000
        var bench = Bench(slots: 40, limits: limits)
        try bench.learn(seconds: 1e-3)
        for _ in 0..<40 { bench.submit(1000, segment: 300) }
        while let chunk = try bench.next() {
            #expect(chunk.hasRightInputs)
            #expect(bench.state.inputBytes <= limits.allReadAhead)
        }
        #expect(bench.state.inputBytes > 0)
    }

    @Test func `payloads that came with their batch are handed out first`() throws {
        var limits = ScheduleLimits()
        (limits.readAhead, limits.allReadAhead) = (4000, 20_000)
        var bench = Bench(slots: 1, limits: limits)
        let batch = bench.maker.batch(jobs: 5000, segment: 300)
        let record = bench.store.submit(batch)
        _ = bench.state.submitted(record, inputs: batch.segments)
        let kept = bench.state.inputBytes
        #expect((limits.allReadAhead / 2...limits.allReadAhead - limits.readAhead).contains(kept))
        // Small ones still find room.
        let small = bench.maker.batch(jobs: 3)
        _ = bench.state.submitted(bench.store.submit(small), inputs: small.segments)
        #expect(bench.state.inputBytes > kept)
        guard case .run(let first) = bench.state.next(at: bench.now) else {
            Issue.record("something is to be read first")
            return
        }
        #expect(first.hasRightInputs)
        bench.complete(first)
        var jobs = first.count
        while let chunk = try bench.next() {
            #expect(chunk.hasRightInputs)
            jobs += chunk.count
            bench.complete(chunk)
        }
        #expect(jobs == 5003)
    }

    @Test func `outcomes that wait for their commit hold new chunks back`() throws {
        var limits = ScheduleLimits()
        limits.unrecordedBytes = 1000
        var bench = Bench(slots: 1, limits: limits)
        try bench.learn(seconds: 1e-4)
        bench.submit(10_000)
        while let chunk = try bench.next() { bench.complete(chunk, secondsPerJob: 1e-4) }
        #expect(bench.state.writes.bytes >= 1000)
        #expect(bench.state.places.count == 1)
        bench.commit()
        #expect(try bench.next() != nil)
    }
}
