import JobModel
import JobStore
import Platform
import Testing

@testable import Scheduling

/// Random submissions, failures, crashes, lost workers, cancellations, full disks and restarts. News reaches the scheduler late, but
/// in order, as from a real store.
struct ModelTests {
    private enum News {
        case submitted(BatchRecord, inputs: [Segment])
        case cancelRequested(BatchID)
        case written(UInt64, Result<Void, StoreError>)
    }

    private struct Run {
        var chunk: Chunk
        var heard = 0
        var isCancelled = false
        var isRecalled = false
    }

    private struct Model {
        var bench: Bench
        var random: SplitMix
        var news: [News] = []
        var runs: [Run] = []
        var batches: [BatchID: Int] = [:]

        mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

        mutating func submit() {
            let jobs = chance(8) ? Int.random(in: 300...1500, using: &random) : Int.random(in: 1...12, using: &random)
            let tries = Int.random(in: 1...3, using: &random)
            var options = BatchOptions.tries(tries, rest: chance(3) ? 0 : 0.5)
            options.priority = Int.random(in: 0...2, using: &random)
            options.queue = chance(2) ? "q" : "default"
            options.chunkSize = [.automatic, .automatic, .python, .exactly(7)].randomElement(using: &random) ?? .python
            options.timeout = chance(4) ? 3 : nil
            let handler = chance(3) ? "other" : "work"
            let batch = bench.maker.batch(jobs: jobs, handler: handler, options: options, segment: 100)
            batches[batch.id] = tries
            let inputs = batch.segments.prefix(Int.random(in: 0...batch.segments.count, using: &random))
            news.append(.submitted(bench.store.submit(batch), inputs: Array(inputs)))
        }

        mutating func cancel() {
            guard let batch = batches.keys.sorted().randomElement(using: &random), bench.store.requestCancel(batch)
            else { return }
            news.append(.cancelRequested(batch))
        }

        mutating func configure() {
            let settings = QueueSettings(
                priority: Int.random(in: -1...1, using: &random),
                concurrency: chance(2) ? 1 : nil, isPaused: chance(3))
            bench.configure(chance(2) ? "q" : "default", settings)
            let recalled = bench.state.recallExcess()
            for index in runs.indices where recalled.contains(runs[index].chunk.id) { runs[index].isRecalled = true }
        }

        mutating func deliver(_ number: Int) {
            for message in news.prefix(number) {
                switch message {
                case .submitted(let record, let inputs):
                    let isKnown = bench.state.submitted(record, inputs: inputs)
                    #expect(isKnown)
                case .cancelRequested(let batch):
                    let chunks = bench.state.cancel(batch, at: bench.now)
                    for index in runs.indices where chunks.contains(runs[index].chunk.id) {
                        runs[index].isCancelled = true
                    }
                case .written(let ticket, .success):
                    bench.state.committed(ticket)
                case .written(let ticket, .failure(.full)):
                    bench.state.writes.refused(ticket, at: bench.now.monotonic)
                case .written(_, .failure(let error)):
                    Issue.record("\(error)")
                }
            }
            news.removeFirst(min(number, news.count))
        }

        mutating func write() {
            while let ticket = bench.state.writes.next(at: bench.now.monotonic) {
                let isFull = chance(20)
                bench.store.setFull(isFull)
                let box = ResultBox()
                switch ticket.write {
                case .record(let group): bench.store.record(group.recordings) { box.set($0) }
                case .cancelPending(let order):
                    bench.store.cancelPending(of: order.batch, except: order.running, at: order.time) { box.set($0) }
                }
                news.append(.written(ticket.number, box.get() ?? .failure(.closed)))
            }
        }

        mutating func start() throws {
            guard let chunk = try bench.next() else { return }
            #expect(chunk.hasRightInputs)
            #expect(runs.count < bench.state.planner.slots)
            for part in chunk.parts {
                #expect(part.attempt <= batches[part.batch] ?? 0)
            }
            for run in runs {
                let unheard = ModelTests.unheard(run)
                for part in chunk.parts {
                    #expect(
                        !unheard.contains { $0.batch == part.batch && $0.range.overlaps(part.range) },
                        "a job runs twice at once")
                }
            }
            runs.append(Run(chunk: chunk))
        }

        /// Lets a chunk do some of its jobs.
        mutating func progress(_ index: Int, atMost limit: Int) {
            let unheard = ModelTests.unheard(runs[index])
            guard let part = unheard.first else { return }
            let chunkRun: ChunkRun
            if chance(6) {
                chunkRun = .failed(.exception)
            } else {
                let count = Int.random(in: 1...min(limit, part.count), using: &random)
                chunkRun = .succeeded(count: count, body: Chunk.results(part.first..<part.first + count))
            }
            let (id, heard) = (runs[index].chunk.id, runs[index].heard)
            bench.hear(of: id, position: heard, runs: [chunkRun], at: bench.now)
            runs[index].heard += chunkRun.count
        }

        mutating func work(untilDone: Bool = false) {
            guard let index = runs.indices.randomElement(using: &random) else { return }
            progress(index, atMost: untilDone ? .max : 50)
            let run = runs[index]
            let end: ChunkEnd
            if run.heard == run.chunk.count {
                end = .completed(busy: Double(run.chunk.count) * 1e-4)
            } else if run.isCancelled || run.isRecalled && chance(3) || chance(15) {
                end = chance(30) ? .lost(.crash) : .returned
            } else if chance(10) {
                end =
                    chance(4)
                    ? .orphaned(position: run.heard, charged: nil)
                    : .interrupted(position: run.heard, failure: .crash)
            } else {
                return
            }
            bench.end(of: run.chunk.id, end, at: bench.now)
            runs.remove(at: index)
        }

        mutating func restart() throws {
            (runs, news) = ([], [])
            try bench.restart()
        }
    }

    private static func unheard(_ run: Run) -> [Chunk.Part] {
        var heard = run.heard
        return run.chunk.parts.compactMap { part in
            let skipped = min(heard, part.count)
            heard -= skipped
            guard skipped < part.count else { return nil }
            return Chunk.Part(
                batch: part.batch, first: part.first + skipped, count: part.count - skipped, attempt: part.attempt,
                input: [])
        }
    }

    @Test(arguments: 1...12)
    func `every job gets exactly one outcome`(seed: Int) throws {
        var limits = ScheduleLimits()
        (limits.lane, limits.allLanes, limits.smallestLane, limits.page) = (5, 12, 2, 3)
        (limits.readAhead, limits.allReadAhead) = (600, 2000)
        var model = Model(
            bench: Bench(slots: 3, limits: limits), random: SplitMix(seed: UInt64(seed)))
        for step in 0..<1500 {
            switch Int.random(in: 0..<14, using: &model.random) {
            case 0 where step < 1200: model.submit()
            case 1 where model.chance(3): model.cancel()
            case 2: model.write()
            case 3: model.deliver(Int.random(in: 0...5, using: &model.random))
            case 4: try model.bench.readPages()
            case 5: model.bench.advance(seconds: 0.2)
            case 6 where model.chance(40): try model.restart()
            case 6 where model.chance(3): model.configure()
            case 7, 8: try model.start()
            default: model.work()
            }
        }
        for queue in ["q", "default"] { model.bench.configure(queue, QueueSettings()) }
        var steps = 0
        while !model.batches.keys.allSatisfy(model.bench.store.isFinished) || !model.bench.state.places.isEmpty {
            steps += 1
            guard steps < 100_000 else {
                Issue.record("it does not come to an end")
                return
            }
            model.write()
            model.deliver(.max)
            try model.bench.readPages()
            try model.start()
            model.work(untilDone: true)
            if steps.isMultiple(of: 10) { model.bench.advance(seconds: 1) }
        }
        try check(model)
    }

    private func check(_ model: Model) throws {
        var outcomes: Set<Outcome> = []
        for (id, tries) in model.batches {
            let stored = model.bench.store.stored(id)
            for (index, outcome) in stored.outcomes.enumerated() {
                let outcome = try #require(outcome)
                outcomes.insert(outcome)
                if outcome == .succeeded { #expect(stored.bodies[index] == Array(String(index).utf8)) }
                let numbers = stored.attempts(of: index).map(\.number)
                #expect(numbers == Array(1..<numbers.count + 1))
                #expect(outcome == .failed ? numbers.count == tries : numbers.count <= tries)
            }
        }
        #expect(outcomes == [.succeeded, .failed, .cancelled])
        let state = model.bench.state
        #expect(state.chunks.isEmpty && state.inputBytes == 0 && state.inputHolders.isEmpty)
        #expect(state.groups.allSatisfy { $0.ready == 0 && $0.batches == 0 && $0.small.isEmpty })
        #expect(state.queues.allSatisfy { $0.running == 0 })
        #expect(state.lanes.allSatisfy { $0.loaded == 0 && $0.dormant == 0 } && state.levels.allSatisfy(\.isIdle))
    }
}
