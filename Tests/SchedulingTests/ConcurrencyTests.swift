import JobModel
import JobStore
import Testing

@testable import Scheduling

/// Limits on how many jobs of a handler run at once.
struct ConcurrencyTests {
    private static let limits: [String: Int?] = ["one": 1, "two": 2, "free": nil]

    private func bench(slots: Int) -> Bench {
        Bench(
            slots: slots,
            profiles: Self.limits.map { HandlerProfile(name: $0.key, concurrency: $0.value) })
    }

    private func start(_ bench: inout Bench) throws -> [Chunk] {
        var chunks: [Chunk] = []
        while let chunk = try bench.next() { chunks.append(chunk) }
        return chunks
    }

    @Test func `a limited handler leaves the other slots to others`() throws {
        var bench = bench(slots: 4)
        bench.submit(100, handler: "one")
        bench.submit(100, handler: "two")
        bench.submit(100, handler: "free")
        let handlers = try start(&bench).map(\.handler)
        #expect(Dictionary(grouping: handlers, by: \.self).mapValues(\.count) == ["one": 1, "two": 2, "free": 1])
    }

    @Test func `a slot that becomes free goes to who may have it`() throws {
        var bench = bench(slots: 3)
        for _ in 0..<50 { bench.submit(10, handler: "one") }
        let chunk = try bench.start()
        #expect(try bench.next() == nil, "nothing else may run")
        #expect(bench.state.levels.allSatisfy { $0.isIdle }, "and nothing is looked through in vain")
        bench.complete(chunk)
        #expect(try bench.start().handler == "one")
        #expect(try bench.next() == nil)
    }

    @Test func `a retry and what comes back respect the limit`() throws {
        var bench = bench(slots: 3)
        let batch = bench.submit(3, handler: "one", options: .tries(3, rest: 1))
        let first = try bench.start()
        bench.hear(of: first.id, position: 0, runs: [.failed(.exception)], at: bench.now)
        bench.end(of: first.id, .completed(busy: 0.001), at: bench.now)
        let second = try bench.start()
        bench.advance(seconds: 5)
        #expect(try bench.next() == nil, "the retry is due, but the second job runs")
        bench.end(of: second.id, .returned, at: bench.now)
        while let chunk = try bench.next() {
            #expect(try bench.next() == nil)
            bench.complete(chunk)
        }
        bench.commit()
        #expect(bench.store.isFinished(batch))
    }

    @Test func `a higher priority of the same handler goes first when it may`() throws {
        var bench = bench(slots: 2)
        bench.submit(10, handler: "one")
        let running = try bench.start()
        let high = bench.submit(1, handler: "one", options: BatchOptions(priority: 5))
        #expect(try bench.next() == nil)
        bench.complete(running)
        #expect(try bench.start().parts[0].batch == high)
    }

    @Test func `a cancelled chunk counts until it has ended`() throws {
        var bench = bench(slots: 2)
        let first = bench.submit(1, handler: "one")
        bench.submit(1, handler: "one")
        let chunk = try bench.start()
        bench.store.requestCancel(first)
        #expect(bench.state.cancel(first, at: bench.now) == [chunk.id])
        #expect(try bench.next() == nil)
        bench.end(of: chunk.id, .returned, at: bench.now)
        _ = try bench.start()
    }

    @Test func `few at once make chunks as large as few slots do`() {
        let planner = ChunkPlanner(limits: ScheduleLimits(), slots: 100)
        var speed = HandlerSpeed()
        speed.measured(jobs: 1000, busy: 0.01)
        #expect(planner.automaticSize(ready: 2000, speed: speed) == 100)
        #expect(planner.automaticSize(ready: 2000, speed: speed, concurrency: 1) == 1000)
        #expect(planner.automaticSize(ready: 2000, speed: speed, concurrency: 1000) == 100)
    }

    /// Random work for limited and free handlers of several priorities, with failures, returns, retries, ill health and
    /// cancellations.
    @Test(arguments: 1...16)
    func `limits hold, slots are used and everybody gets through`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let slots = Int.random(in: 1...6, using: &random)
        var bench = bench(slots: slots)
        var running: [Chunk] = []
        var batches: [BatchID] = []
        var unhealthy: Set<String> = []

        func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
        func startAll() throws {
            running += try start(&bench)
            for (handler, limit) in Self.limits {
                let count = running.count { $0.handler == handler }
                #expect(count <= limit ?? slots)
                #expect(bench.state.gates[bench.state.handlerNumbers[handler]!].running == count)
                // Nobody waits who could run.
                let waits = bench.state.work.indices.contains { (place: Int) -> Bool in
                    let work = bench.state.work[place]
                    return bench.state.places[work.id] == place && work.readyCount > 0
                        && bench.state.handlerNames[work.handler] == handler
                }
                if running.count < slots, waits { #expect(count == limit || unhealthy.contains(handler)) }
            }
            #expect(running.count <= slots)
        }
        func endOne() throws {
            guard let index = running.indices.randomElement(using: &random) else { return }
            let chunk = running.remove(at: index)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bench.end(of: chunk.id, .returned, at: bench.now)
            case 1: bench.end(of: chunk.id, .interrupted(position: 0, failure: .crash), at: bench.now)
            default: bench.complete(chunk)
            }
            bench.commit()
        }

        for _ in 0..<600 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                let handler = Self.limits.keys.sorted().randomElement(using: &random) ?? "one"
                var options = BatchOptions.tries(3, rest: 0.5)
                options.priority = Int.random(in: 0...2, using: &random)
                batches.append(bench.submit(Int.random(in: 1...40, using: &random), handler: handler, options: options))
            case 1 where chance(4):
                if let batch = batches.randomElement(using: &random), bench.store.requestCancel(batch) {
                    for id in bench.state.cancel(batch, at: bench.now) {
                        bench.end(of: id, .returned, at: bench.now)
                        running.removeAll { $0.id == id }
                    }
                    bench.commit()
                }
            case 2 where chance(4):
                let handler = Self.limits.keys.sorted().randomElement(using: &random) ?? "one"
                let isIll = unhealthy.insert(handler).inserted
                if !isIll { unhealthy.remove(handler) }
                bench.state.setHealth(of: [handler], isIll ? Unhealthy(reason: "x", retryAfter: 1) : nil)
            case 3: bench.advance(seconds: 0.3)
            default: try endOne()
            }
            try startAll()
        }
        bench.state.setHealth(of: Array(Self.limits.keys), nil)
        unhealthy = []
        var steps = 0
        while !bench.state.places.isEmpty, steps < 20_000 {
            steps += 1
            try startAll()
            if let chunk = running.popLast() { bench.complete(chunk) }
            bench.commit()
            bench.advance(seconds: 1)
        }
        #expect(batches.allSatisfy { bench.store.isFinished($0) })
        #expect(bench.state.gates.allSatisfy { $0.running == 0 })
    }
}
