import JobModel
import JobStore
import Testing

@testable import Scheduling

/// What the settings of queues do.
struct QueuesTests {
    private func start(_ bench: inout Bench) throws -> [Chunk] {
        var chunks: [Chunk] = []
        while let chunk = try bench.next() { chunks.append(chunk) }
        return chunks
    }

    private func options(_ queue: String, priority: Int = 0) -> BatchOptions {
        BatchOptions(queue: queue, priority: priority)
    }

    // MARK: Concurrency

    @Test func `the limit of a queue holds over all of its handlers`() throws {
        var bench = Bench(slots: 4)
        bench.configure("slow", QueueSettings(concurrency: 1))
        for handler in ["work", "other"] { bench.submit(50, handler: handler, options: options("slow")) }
        bench.submit(50)
        let chunks = try start(&bench)
        #expect(chunks.count == 4, "the other slots are for others")
        #expect(bench.state.running(inQueue: "slow") == 1)
        #expect(bench.state.running(inQueue: "default") == 3)
        #expect(bench.state.running(inQueue: "nobody's") == 0)
    }

    @Test func `a limit that is taken away or lowered counts for what comes next`() throws {
        var bench = Bench(slots: 4)
        for _ in 0..<20 { bench.submit(1, options: BatchOptions(queue: "q", chunkSize: .exactly(1))) }
        bench.configure("q", QueueSettings(concurrency: 3))
        var running = try start(&bench)
        #expect(running.count == 3)
        bench.configure("q", QueueSettings(concurrency: 1))
        for _ in 0..<2 {
            bench.complete(running.removeFirst())
            #expect(try bench.next() == nil)
        }
        bench.complete(running.removeFirst())
        running = try start(&bench)
        #expect(running.count == 1)
        bench.configure("q", QueueSettings())
        #expect(try start(&bench).count == 3)
    }

    @Test func `a chunk holds jobs of one queue`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-5)
        for index in 0..<40 { bench.submit(2, options: options(index.isMultiple(of: 2) ? "a" : "b")) }
        for chunk in [try bench.start()] {
            #expect(chunk.parts.count > 1)
            #expect(Set(chunk.parts.map { bench.store.stored($0.batch).record.options.queue }).count == 1)
        }
    }

    @Test func `the latest chunks that a lowered limit forbids are recalled, once`() throws {
        var bench = Bench(slots: 6)
        let options = BatchOptions(queue: "q", chunkSize: .exactly(10))
        let batch = bench.submit(40, options: options)
        let first = try start(&bench)
        bench.submit(20, options: .chunks(.exactly(10)))
        let others = try start(&bench)
        #expect(first.count == 4 && others.count == 2)
        bench.configure("q", QueueSettings(concurrency: 4))
        #expect(bench.state.recallExcess() == [])
        bench.configure("q", QueueSettings(concurrency: 2))
        #expect(bench.state.recallExcess() == [first[2].id, first[3].id])
        #expect(bench.state.recallExcess() == [])
        bench.configure("q", QueueSettings(concurrency: 1))
        #expect(bench.state.recallExcess() == [first[1].id])
        // What was recalled counts until it has ended.
        for chunk in first[1...] {
            #expect(try bench.next() == nil)
            bench.hear(of: chunk.id, position: 0, runs: [.succeeded(count: 1, body: Array("0".utf8))], at: bench.now)
            bench.end(of: chunk.id, .returned, at: bench.now)
        }
        #expect(try bench.next() == nil)
        bench.configure("q", QueueSettings())
        bench.complete(first[0])
        for chunk in others { bench.complete(chunk) }
        try bench.runAll()
        #expect(bench.store.isFinished(batch))
        #expect(bench.store.stored(batch).attempts.isEmpty, "it has cost nothing")
    }

    // MARK: Pause

    @Test func `all chunks of a paused queue are recalled, and a drain recalls all there are`() throws {
        var bench = Bench(slots: 4)
        let batch = bench.submit(20, options: BatchOptions(queue: "q", chunkSize: .exactly(10)))
        let chunks = try start(&bench)
        bench.submit(4, options: .chunks(.exactly(2)))
        let others = try start(&bench)
        bench.configure("q", QueueSettings(isPaused: true))
        #expect(bench.state.recallExcess() == chunks.map(\.id))
        for chunk in chunks { bench.end(of: chunk.id, .returned, at: bench.now) }
        #expect(bench.state.running(in: batch) == 0)
        #expect(try bench.next() == nil)
        bench.state.isDraining = true
        #expect(bench.state.recallExcess() == others.map(\.id))
        bench.state.isDraining = false
        for chunk in others { bench.complete(chunk) }
        bench.configure("q", QueueSettings())
        try bench.runAll()
        #expect(bench.store.isFinished(batch))
    }

    @Test func `a paused queue starts nothing, and goes on where it was`() throws {
        var bench = Bench(slots: 2)
        let batch = bench.submit(30, options: BatchOptions(queue: "q", chunkSize: .exactly(10)))
        let chunk = try bench.start()
        bench.configure("q", QueueSettings(isPaused: true))
        #expect(try bench.next() == nil)
        bench.complete(chunk)
        bench.commit()
        #expect(bench.store.stored(batch).outcomes.count { $0 == .succeeded } == 10, "what runs ends as ever")
        #expect(try bench.next() == nil)
        let late = bench.submit(1, options: options("q"))
        try bench.readPages()
        #expect(try bench.next() == nil)
        bench.configure("q", QueueSettings())
        try bench.readPages()
        try bench.runAll()
        #expect(bench.store.isFinished(batch) && bench.store.isFinished(late))
    }

    @Test func `retries of a paused queue wait`() throws {
        var bench = Bench(slots: 1)
        var options = BatchOptions.tries(2, rest: 1)
        options.queue = "q"
        let batch = bench.submit(1, options: options)
        let chunk = try bench.start()
        bench.configure("q", QueueSettings(isPaused: true))
        bench.hear(of: chunk.id, position: 0, runs: [.failed(.exception)], at: bench.now)
        bench.end(of: chunk.id, .completed(busy: 0.001), at: bench.now)
        bench.commit()
        bench.advance(seconds: 5)
        #expect(try bench.next() == nil)
        bench.configure("q", QueueSettings())
        try bench.runAll()
        #expect(bench.store.isFinished(batch))
    }

    @Test func `batches of a paused queue can be cancelled, in memory or not`() throws {
        var bench = Bench(slots: 1)
        let before = bench.submit(5, options: options("q"))
        bench.configure("q", QueueSettings(isPaused: true))
        let after = bench.submit(5, options: options("q"))
        for batch in [before, after] {
            bench.store.requestCancel(batch)
            #expect(bench.state.cancel(batch, at: bench.now).isEmpty)
        }
        bench.commit()
        #expect(bench.store.isFinished(before) && bench.store.isFinished(after))
    }

    @Test func `cancelled batches of a paused queue are found after a restart`() throws {
        var limits = ScheduleLimits()
        (limits.lane, limits.page) = (8, 3)
        var bench = Bench(slots: 1, limits: limits)
        let batches = (0..<20).map { _ in bench.submit(1, options: options("q")) }
        bench.configure("q", QueueSettings(isPaused: true))
        for batch in batches where batch.ulid.low.isMultiple(of: 5) { bench.store.requestCancel(batch) }
        try bench.restart()
        bench.commit()
        #expect(batches.filter(bench.store.isFinished).map(\.ulid.low) == [5, 10, 15, 20])
        #expect(bench.state.nextPage() == nil, "they are looked through once")
        #expect(try bench.next() == nil)
        bench.configure("q", QueueSettings())
        try bench.readPages()
        while let chunk = try bench.next() {
            bench.complete(chunk)
            bench.commit()
            try bench.readPages()
        }
        #expect(batches.allSatisfy(bench.store.isFinished))
    }

    @Test(arguments: [false, true])
    func `twenty thousand batches in a paused queue are in nobody's way`(isPausedBefore: Bool) throws {
        var bench = Bench(slots: 2)
        if isPausedBefore { bench.configure("q", QueueSettings(isPaused: true)) }
        for _ in 0..<20_000 { bench.submit(1, options: options("q")) }
        bench.configure("q", QueueSettings(isPaused: true))
        try bench.readPages()
        #expect(bench.state.places.isEmpty, "they take no room")
        let reads = bench.store.reads
        let other = bench.submit(1)
        #expect(try bench.start().parts.map(\.batch) == [other])
        #expect(bench.store.reads == reads + 1, "but for the payload")
    }

    @Test func `what was put out of memory comes back in order, and once`() throws {
        var limits = ScheduleLimits()
        (limits.lane, limits.page) = (8, 3)
        var bench = Bench(slots: 1, limits: limits)
        let batches = (0..<30).map { _ in bench.submit(1, options: BatchOptions(queue: "q", chunkSize: .exactly(1))) }
        var order: [BatchID] = []
        var step = 0
        while order.count < 30, step < 1000 {
            step += 1
            if step.isMultiple(of: 3) {
                bench.configure("q", QueueSettings(isPaused: true))
                bench.configure("q", QueueSettings())
            }
            try bench.readPages()
            if let chunk = try bench.next() {
                order += chunk.parts.map(\.batch)
                bench.complete(chunk)
                bench.commit()
            }
        }
        #expect(order == batches)
        #expect(bench.state.places.isEmpty)
    }

    // MARK: Priority

    @Test func `a queue's priority counts before a batch's`() throws {
        var bench = Bench(slots: 1)
        bench.configure("low", QueueSettings(priority: -1))
        bench.configure("high", QueueSettings(priority: 5))
        let expected = [("high", -100), ("default", 50), ("other", 1), ("default", 0), ("low", 100)]
        for (queue, priority) in expected.reversed() {
            bench.submit(1, options: BatchOptions(queue: queue, priority: priority))
        }
        var order: [String] = []
        while let chunk = try bench.next() {
            let record = bench.store.stored(chunk.parts[0].batch).record
            order.append("\(record.options.queue) \(record.options.priority)")
            bench.complete(chunk)
        }
        #expect(order == expected.map { "\($0) \($1)" })
    }

    @Test func `a queue that gets another priority takes its batches along`() throws {
        var bench = Bench(slots: 1)
        for queue in ["a", "b"] { for _ in 0..<3 { bench.submit(1, options: options(queue)) } }
        bench.configure("b", QueueSettings(priority: 1))
        var order: [String] = []
        while let chunk = try bench.next() {
            order += chunk.parts.map { bench.store.stored($0.batch).record.options.queue }
            bench.complete(chunk)
            if order.count == 2 { bench.configure("b", QueueSettings(priority: -1)) }
        }
        #expect(order.prefix(2) == ["b", "b"])
        #expect(order.last == "b")
        #expect(order.count == 6)
    }

    @Test func `queues of equal priority take turns`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-5)
        for queue in ["a", "b", "c"] { bench.submit(50_000, options: options(queue)) }
        var turns: [String] = []
        for _ in 0..<9 {
            let chunk = try bench.start()
            turns.append(bench.store.stored(chunk.parts[0].batch).record.options.queue)
            bench.complete(chunk)
        }
        for first in stride(from: 0, to: 9, by: 3) { #expect(Set(turns[first..<first + 3]) == ["a", "b", "c"]) }
    }

    // MARK: Memory

    @Test func `names that have been used up are forgotten`() throws {
        var bench = Bench(slots: 2)
        bench.configure("kept", QueueSettings(priority: 1))
        for number in 0..<5000 {
            let handler = number.isMultiple(of: 2) ? "work" : "other"
            bench.submit(1, handler: handler, options: options("q\(number)"))
            try bench.runAll()
        }
        #expect(bench.state.lanes.count <= 2 * bench.state.limits.lanes)
        #expect(bench.state.tracks.count <= 2 * bench.state.limits.lanes)
        #expect(bench.state.queues.count <= 2 * bench.state.limits.lanes)
        #expect(bench.state.gates.allSatisfy { $0.tracks.count <= 2 * bench.state.limits.lanes })
        bench.submit(1, options: options("a"))
        let kept = bench.submit(1, options: options("kept"))
        #expect(try bench.start().parts[0].batch == kept, "its settings are not forgotten")
    }

    // MARK: At random

    /// Random work of two handlers in three queues, whose settings change, with failures, returns, retries, restarts and
    /// cancellations.
    @Test(arguments: 1...16)
    func `limits hold, slots are used and everybody gets through`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var limits = ScheduleLimits()
        (limits.lane, limits.allLanes, limits.smallestLane, limits.page, limits.lanes) = (6, 14, 2, 3, 4)
        let slots = Int.random(in: 1...6, using: &random)
        let handlerLimits: [String: Int?] = ["one": 1, "free": nil]
        var bench = Bench(
            slots: slots, profiles: handlerLimits.map { HandlerProfile(name: $0.key, concurrency: $0.value) },
            limits: limits)
        let names = ["default", "a", "b"]
        var settings: [String: QueueSettings] = [:]
        var running: [Chunk] = []
        var batches: [BatchID] = []

        func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
        func queue(_ chunk: Chunk) -> String { bench.store.stored(chunk.parts[0].batch).record.options.queue }
        func configure(_ name: String, _ value: QueueSettings) {
            settings[name] = value
            bench.configure(name, value)
        }
        func mayStart(_ name: String, _ handler: String) -> Bool {
            let setting = settings[name] ?? QueueSettings()
            return !setting.isPaused
                && running.count(where: { queue($0) == name }) < setting.concurrency ?? slots
                && running.count(where: { $0.handler == handler }) < (handlerLimits[handler] ?? nil) ?? slots
        }
        func startAll() throws {
            try bench.readPages()
            while let chunk = try bench.next() {
                let name = queue(chunk)
                #expect(chunk.parts.allSatisfy { bench.store.stored($0.batch).record.options.queue == name })
                #expect(mayStart(name, chunk.handler), "\(name) with \(chunk.handler)")
                running.append(chunk)
            }
            for name in names {
                #expect(bench.state.running(inQueue: name) == running.count { queue($0) == name })
            }
            // Nobody waits who could run.
            guard running.count < slots else { return }
            for (id, place) in bench.state.places where bench.state.work[place].readyCount > 0 {
                let record = bench.store.stored(id).record
                #expect(!mayStart(record.options.queue, record.handler))
            }
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
            let name = names.randomElement(using: &random) ?? "a"
            switch Int.random(in: 0..<9, using: &random) {
            case 0, 1:
                var options = BatchOptions.tries(3, rest: 0.5)
                (options.queue, options.priority) = (name, Int.random(in: 0...1, using: &random))
                let handler = chance(2) ? "one" : "free"
                batches.append(bench.submit(Int.random(in: 1...20, using: &random), handler: handler, options: options))
            case 2 where chance(3):
                if let batch = batches.randomElement(using: &random), bench.store.requestCancel(batch) {
                    for id in bench.state.cancel(batch, at: bench.now) {
                        bench.end(of: id, .returned, at: bench.now)
                        running.removeAll { $0.id == id }
                    }
                    bench.commit()
                }
            case 3 where chance(2):
                configure(
                    name,
                    QueueSettings(
                        priority: Int.random(in: -1...1, using: &random),
                        concurrency: chance(2) ? nil : Int.random(in: 1...3, using: &random), isPaused: chance(3)))
            case 4 where chance(20):
                bench.commit()
                running = []
                try bench.restart()
            case 5: bench.advance(seconds: 0.3)
            default: try endOne()
            }
            try startAll()
        }
        for name in names { configure(name, QueueSettings(concurrency: 1)) }
        var steps = 0
        while !batches.allSatisfy(bench.store.isFinished), steps < 20_000 {
            steps += 1
            try startAll()
            if let chunk = running.popLast() { bench.complete(chunk) }
            bench.commit()
            bench.advance(seconds: 1)
        }
        #expect(batches.allSatisfy(bench.store.isFinished))
        #expect(bench.state.queues.allSatisfy { $0.running == 0 })
        #expect(bench.state.places.isEmpty)
    }
}
