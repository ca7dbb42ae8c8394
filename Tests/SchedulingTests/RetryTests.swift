import JobModel
import JobStore
import Platform
import Testing

@testable import Scheduling

struct RetryTests {
    /// Starts the next chunk and lets its first job fail and the others succeed.
    private func failFirst(_ bench: inout Bench, _ failure: Failure = .exception) throws -> Chunk {
        let chunk = try bench.start()
        let first = chunk.parts[0]
        var runs = [ChunkRun.failed(failure)]
        if first.count > 1 {
            runs.append(
                .succeeded(count: first.count - 1, body: Chunk.results(first.first + 1..<first.first + first.count)))
        }
        runs += chunk.parts.dropFirst().map { .succeeded(count: $0.count, body: Chunk.results($0.range)) }
        bench.hear(of: chunk.id, position: 0, runs: runs, at: bench.now)
        bench.end(of: chunk.id, .completed(busy: 0.001), at: bench.now)
        bench.commit()
        return chunk
    }

    @Test func `a failed job rests longer each time, then fails for good`() throws {
        var bench = Bench()
        let batch = bench.submit(1, options: .tries(3, rest: 2))
        for (attempt, rest) in [(1, 2.0), (2, 4.0)] {
            #expect(try failFirst(&bench).parts.map(\.attempt) == [attempt])
            #expect(bench.state.running(in: batch) == 0)
            #expect(bench.state.nextDue == bench.now.monotonic + TimeSpan(seconds: rest))
            bench.advance(seconds: rest - 0.01)
            #expect(try bench.next() == nil)
            bench.advance(seconds: 0.01)
        }
        #expect(try failFirst(&bench).parts.map(\.attempt) == [3])
        #expect(bench.state.nextDue == nil)
        let stored = bench.store.stored(batch)
        #expect(stored.record.phase == .completed && stored.outcomes == [.failed])
        #expect(stored.attempts.map(\.number) == [1, 2, 3])
        let rests = stored.attempts.map { attempt in attempt.retryAt.map { $0.seconds(since: attempt.finishedAt) } }
        #expect(rests == [2, 4, nil])
        #expect(bench.state.places.isEmpty)
    }

    @Test func `a retried job does not hold up the others`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-4)
        let batch = bench.submit(100, options: .tries(2))
        _ = try failFirst(&bench)
        try bench.runAll()
        #expect(bench.store.stored(batch).outcomes.count { $0 == nil } == 1)
        bench.advance(seconds: 1)
        let retry = try bench.start()
        #expect(retry.parts.map(\.range) == [0..<1] && retry.parts[0].attempt == 2)
        #expect(retry.hasRightInputs)
        bench.complete(retry)
        bench.commit()
        #expect(bench.store.stored(batch).outcomes.allSatisfy { $0 == .succeeded })
    }

    @Test func `neighbours that failed together are retried together`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-4)
        bench.submit(4, options: .tries(2, rest: 1))
        let chunk = try bench.start()
        #expect(chunk.count == 4)
        bench.hear(
            of: chunk.id, position: 0, runs: Array(repeating: .failed(.exception), count: 4), at: bench.now)
        bench.end(of: chunk.id, .completed(busy: 0.0004), at: bench.now)
        bench.advance(seconds: 1)
        let retry = try bench.start()
        #expect(retry.count == 4 && retry.parts.allSatisfy { $0.attempt == 2 })
        #expect(retry.hasRightInputs)
    }

    @Test(arguments: [Failure.Kind.signal, .exit, .timeout])
    func `a job that killed its worker runs alone from then on`(kind: Failure.Kind) throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-5)
        let batch = bench.submit(20, options: .tries(3, rest: 1))
        let chunk = try bench.start()
        #expect(chunk.count == 20)
        let death = Failure(kind: kind, message: "died", death: DeathCertificate(processID: 1))
        bench.end(of: chunk.id, .interrupted(position: 0, failure: death), at: bench.now)
        bench.advance(seconds: 1)
        // Once more without a death: it stays alone.
        let alone = try bench.start()
        #expect(alone.parts.map(\.range) == [0..<1])
        bench.hear(of: alone.id, position: 0, runs: [.failed(.exception)], at: bench.now)
        bench.end(of: alone.id, .completed(busy: 0.1), at: bench.now)
        bench.advance(seconds: 2)
        let again = try bench.start()
        #expect(again.parts.map(\.range) == [0..<1] && again.parts[0].attempt == 3)
        bench.end(of: again.id, .returned, at: bench.now)
        #expect(try bench.start().parts.map(\.attempt) == [3], "a lost worker costs no attempt")
        #expect(bench.state.running(in: batch) == 1)
    }

    @Test func `retries survive a restart with what is left of their rest`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-5)
        let batch = bench.submit(3, options: .tries(2, rest: 10))
        _ = try failFirst(&bench)
        bench.advance(seconds: 4)
        try bench.restart()
        #expect(try bench.next() == nil)
        #expect(bench.state.nextDue == bench.now.monotonic + TimeSpan(seconds: 6))
        bench.advance(seconds: 6)
        let retry = try bench.start()
        #expect(retry.parts.map(\.attempt) == [2] && retry.count == 1)
        bench.complete(retry)
        bench.commit()
        #expect(bench.store.isFinished(batch))
    }
}
