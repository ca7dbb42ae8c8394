import JobModel
import JobStore
import Testing

@testable import Scheduling

/// From what is heard of chunks to what is recorded.
struct OutcomeTests {
    private func oneChunk(_ jobs: Int, segment: Int = 1000, options: BatchOptions = .tries(1)) throws -> (Bench, Chunk)
    {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-6)
        bench.submit(jobs, options: options, segment: segment)
        let chunk = try bench.start()
        return (bench, chunk)
    }

    @Test func `a batch runs to its end and is forgotten`() throws {
        var (bench, chunk) = try oneChunk(2500)
        let batch = chunk.parts[0].batch
        #expect(bench.state.running(in: batch) == 2500 || chunk.count < 2500)
        bench.complete(chunk)
        bench.commit()
        try bench.runAll()
        let stored = bench.store.stored(batch)
        #expect(stored.record.phase == .completed)
        #expect(stored.bodies.enumerated().allSatisfy { $1 == Array(String($0).utf8) })
        #expect(bench.state.places.isEmpty && bench.state.inputBytes == 0 && bench.state.chunks.isEmpty)
        #expect(bench.state.writes.isEmpty)
        #expect(bench.state.running(in: batch) == 0)
    }

    @Test func `outcomes of several parts become one run`() throws {
        var (bench, chunk) = try oneChunk(500, segment: 50)
        let count = chunk.count
        #expect(chunk.parts.count > 2)
        bench.complete(chunk)
        bench.commit()
        #expect(bench.store.stored(chunk.parts[0].batch).runs.map(\.range) == [0..<count])
    }

    @Test func `jobs count as running until their commit`() throws {
        var (bench, chunk) = try oneChunk(10)
        let batch = chunk.parts[0].batch
        let count = chunk.count
        #expect(bench.state.running(in: batch) == count)
        #expect(bench.state.isRunning(JobID(batch: batch, index: 0)))
        bench.complete(chunk)
        #expect(bench.state.running(in: batch) == count)
        #expect(bench.state.isRunning(JobID(batch: batch, index: 0)))
        bench.commit()
        #expect(bench.state.running(in: batch) == 0)
        #expect(!bench.state.isRunning(JobID(batch: batch, index: 0)))
    }

    @Test(arguments: 0..<10)
    func `an interrupted chunk charges one job, and the rest goes on`(position: Int) throws {
        var (bench, chunk) = try oneChunk(
            10, segment: 4, options: BatchOptions(retries: RetryPolicy(maximumAttempts: 1)))
        let batch = chunk.parts[0].batch
        #expect(chunk.count == 10)
        var heard = 0
        for part in chunk.parts {
            let count = min(part.count, position - heard)
            guard count > 0 else { break }
            let run = ChunkRun.succeeded(count: count, body: Chunk.results(part.first..<part.first + count))
            bench.hear(of: chunk.id, position: heard, runs: [run], at: bench.now)
            heard += count
        }
        bench.advance(seconds: 2)
        bench.end(of: chunk.id, .interrupted(position: position, failure: .crash), at: bench.now)
        bench.commit()
        #expect(bench.state.running(in: batch) == 0)

        var rest: [Int] = []
        while let next = try bench.next() {
            #expect(next.hasRightInputs)
            #expect(next.parts.allSatisfy { $0.attempt == 1 })
            rest += next.parts.flatMap(\.range)
            bench.complete(next)
        }
        #expect(rest == Array((position + 1)..<10))
        bench.commit()
        let stored = bench.store.stored(batch)
        #expect(stored.record.isFinished)
        #expect(stored.outcomes.enumerated().allSatisfy { $1 == ($0 == position ? .failed : .succeeded) })
        #expect(stored.bodies[position] == Failure.crash.json)
        #expect(stored.attempts.map(\.index) == [position])
        let attempt = try #require(stored.attempts.first)
        #expect(attempt.finishedAt.seconds(since: attempt.startedAt) == 0.5)
        #expect(attempt.retryAt == nil)
    }

    @Test(arguments: 0...10)
    func `what comes back unheard runs again at no cost`(heard: Int) throws {
        var (bench, chunk) = try oneChunk(10)
        #expect(chunk.count == 10)
        if heard > 0 {
            let run = ChunkRun.succeeded(count: heard, body: Chunk.results(0..<heard))
            bench.hear(of: chunk.id, position: 0, runs: [run], at: bench.now)
        }
        bench.end(of: chunk.id, .returned, at: bench.now)
        #expect(bench.state.running(in: chunk.parts[0].batch) == heard)
        let next = try bench.next()
        #expect(next?.parts.map(\.range) ?? [] == (heard < 10 ? [heard..<10] : []))
        if let next { bench.complete(next) }
        bench.commit()
        let stored = bench.store.stored(chunk.parts[0].batch)
        #expect(stored.record.isFinished && stored.attempts.isEmpty)
    }

    @Test func `a job that a worker dies of before it runs is found and charged`() throws {
        var (bench, chunk) = try oneChunk(10, segment: 4, options: .tries(2, rest: 1))
        let batch = chunk.parts[0].batch
        let run = ChunkRun.succeeded(count: 2, body: Chunk.results(0..<2))
        bench.hear(of: chunk.id, position: 0, runs: [run], at: bench.now)
        bench.end(of: chunk.id, .lost(.crash), at: bench.now)
        var tries: [Int: Int] = [:]
        var lonely: [Int] = []
        while true {
            guard let next = try bench.next() else {
                guard !bench.store.stored(batch).record.isFinished else { break }
                bench.commit()
                bench.advance(seconds: 2)
                continue
            }
            #expect(next.count == 1 && next.hasRightInputs, "each alone")
            let index = next.parts[0].first
            lonely.append(index)
            tries[index, default: 0] += 1
            #expect(next.parts[0].attempt == tries[index])
            if index == 6 {
                bench.end(of: next.id, .lost(.crash), at: bench.now)
            } else {
                bench.complete(next)
            }
        }
        #expect(Set(lonely) == Set(2..<10))
        #expect(lonely.count == 9)
        let stored = bench.store.stored(batch)
        #expect(stored.outcomes.enumerated().allSatisfy { $1 == ($0 == 6 ? .failed : .succeeded) })
        #expect(stored.attempts.map(\.index) == [6, 6])
    }

    @Test func `a job whose zygote is lost again and again runs alone, and is charged only then`() throws {
        var bench = Bench(slots: 1)
        let batch = bench.submit(10, options: .tries(2, rest: 1))
        var (losses, alone): ([Int: Int], [Int]) = ([:], [])
        while !bench.store.isFinished(batch) {
            guard let chunk = try bench.next() else {
                bench.advance(seconds: 2)
                continue
            }
            let jobs = chunk.parts.flatMap(\.range)
            // Job 3 does it; job 4 only happens to be there, twice.
            let last = jobs.firstIndex { $0 == 3 || ($0 == 4 && losses[4, default: 0] < 2) }
            for (position, job) in jobs[..<(last ?? jobs.count)].enumerated() {
                let run = ChunkRun.succeeded(count: 1, body: Chunk.results(job..<job + 1))
                bench.hear(of: chunk.id, position: position, runs: [run], at: bench.now)
            }
            if let last { losses[jobs[last], default: 0] += 1 }
            bench.end(
                of: chunk.id,
                last.map { .orphaned(position: $0, charged: chunk.isSolitary ? .crash : nil) }
                    ?? .completed(busy: 0.001),
                at: bench.now)
            if chunk.isSolitary { alone += jobs }
            bench.commit()
        }
        #expect(alone.sorted() == [3, 3, 4])
        #expect(losses == [3: 4, 4: 2])
        let stored = bench.store.stored(batch)
        #expect(stored.attempts.map(\.index) == [3, 3])
        #expect(stored.outcomes.enumerated().allSatisfy { $1 == ($0 == 3 ? .failed : .succeeded) })
    }

    @Test func `a chunk that is lost with its batch cancelled is cancelled`() throws {
        var (bench, chunk) = try oneChunk(3)
        let batch = chunk.parts[0].batch
        _ = bench.state.cancel(batch, at: bench.now)
        bench.end(of: chunk.id, .lost(.crash), at: bench.now)
        bench.commit()
        #expect(bench.store.stored(batch).outcomes.allSatisfy { $0 == .cancelled })
    }

    @Test func `events that contradict the chunk are told from others`() throws {
        var (bench, chunk) = try oneChunk(10)
        let run = ChunkRun.succeeded(count: 4, body: Chunk.results(0..<4))
        let long = ChunkRun.succeeded(count: 7, body: Chunk.results(4..<11))
        let understood = [
            bench.state.hear(of: 99, position: 0, runs: [run], at: bench.now),
            bench.state.hear(of: chunk.id, position: 1, runs: [run], at: bench.now),
            bench.state.hear(of: chunk.id, position: 0, runs: [run], at: bench.now),
            bench.state.hear(of: chunk.id, position: 4, runs: [long], at: bench.now),
            bench.state.end(of: 99, .returned, at: bench.now),
            // Six jobs were not heard of.
            bench.state.end(of: chunk.id, .completed(busy: 1e-5), at: bench.now),
        ]
        #expect(understood == [false, false, true, false, false, false])
        #expect(try bench.start().parts.map(\.range) == [4..<10])
    }

    @Test func `much that is heard at once goes into several commits`() throws {
        var limits = ScheduleLimits()
        limits.groupBytes = 2000
        var bench = Bench(slots: 1, limits: limits)
        try bench.learn(seconds: 1e-6)
        let batch = bench.submit(100, options: .tries(1))
        while let chunk = try bench.next() {
            bench.hear(
                of: chunk.id, position: 0,
                runs: Array(repeating: .failed(.exception), count: chunk.count), at: bench.now)
            bench.end(of: chunk.id, .completed(busy: 0.001), at: bench.now)
        }
        bench.commit()
        #expect(bench.store.commits >= 10)
        #expect(bench.store.stored(batch).outcomes.allSatisfy { $0 == .failed })
    }
}
