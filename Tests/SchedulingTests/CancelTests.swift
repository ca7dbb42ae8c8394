import JobModel
import JobStore
import Testing

@testable import Scheduling

struct CancelTests {
    /// Requests it and tells the state; returns the chunks to stop.
    private func cancel(_ batch: BatchID, _ bench: inout Bench) -> [UInt64] {
        bench.store.requestCancel(batch)
        return bench.state.cancel(batch, at: bench.now)
    }

    private func counts(_ batch: BatchID, _ bench: Bench) -> [Outcome?: Int] {
        Dictionary(grouping: bench.store.stored(batch).outcomes, by: \.self).mapValues(\.count)
    }

    @Test func `before anything ran`() throws {
        var bench = Bench()
        let batch = bench.submit(1000)
        #expect(cancel(batch, &bench).isEmpty)
        #expect(try bench.next() == nil)
        bench.commit()
        #expect(bench.store.stored(batch).record.phase == .cancelled)
        #expect(counts(batch, bench) == [.cancelled: 1000])
        #expect(bench.state.places.isEmpty)
    }

    @Test func `a chunk that could not be completed is closed, so that a cancel stops it`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-6)
        let batch = bench.submit(5000)
        guard case .load(let first) = bench.state.next(at: bench.now) else {
            Issue.record("nothing is to be read")
            return
        }
        // Nothing was taken yet: the batch goes back, and its turn comes again.
        let nothing = bench.state.closeDraft(at: bench.now)
        #expect(nothing == nil)
        guard case .load(first) = bench.state.next(at: bench.now) else {
            Issue.record("the batch has lost its turn")
            return
        }
        let segments = try bench.store.segments(of: batch, covering: 0..<1, maximumBytes: 1)
        let isSupplied = bench.state.supply(segments, for: first)
        #expect(isSupplied)
        guard case .load = bench.state.next(at: bench.now) else {
            Issue.record("one segment was enough")
            return
        }
        let closed = bench.state.closeDraft(at: bench.now)
        let chunk = try #require(closed)
        #expect(chunk.count == 1000)
        #expect(cancel(batch, &bench) == [chunk.id])
        bench.complete(chunk)
        bench.commit()
        #expect(counts(batch, bench) == [.succeeded: 1000, .cancelled: 4000])
        #expect(bench.store.stored(batch).record.phase == .cancelled)
    }

    @Test func `while chunks run`() throws {
        var bench = Bench(slots: 2)
        try bench.learn(seconds: 1e-4)
        let batch = bench.submit(10_000)
        let first = try bench.start()
        let second = try bench.start()
        let run = ChunkRun.succeeded(count: 5, body: Chunk.results(0..<5))
        bench.hear(of: first.id, position: 0, runs: [run], at: bench.now)
        #expect(Set(cancel(batch, &bench)) == [first.id, second.id])
        #expect(cancel(batch, &bench).isEmpty, "once is enough")
        bench.commit()
        #expect(!bench.store.isFinished(batch))
        #expect(bench.state.running(in: batch) == first.count + second.count - 5)

        // One is done before it hears of it, the other is stopped.
        bench.complete(second)
        bench.end(of: first.id, .returned, at: bench.now)
        bench.commit()
        #expect(bench.store.stored(batch).record.phase == .cancelled)
        #expect(counts(batch, bench)[.succeeded] == 5 + second.count)
        #expect(bench.state.places.isEmpty)
    }

    @Test func `a crash while cancelling is not retried`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-3)
        let batch = bench.submit(5, options: .tries(3))
        let chunk = try bench.start()
        #expect(cancel(batch, &bench) == [chunk.id])
        bench.end(of: chunk.id, .interrupted(position: 0, failure: .crash), at: bench.now)
        bench.commit()
        #expect(counts(batch, bench) == [.cancelled: 5])
        #expect(bench.store.stored(batch).attempts.map(\.retryAt) == [nil])
        #expect(bench.state.timers.first?.due == nil)
    }

    @Test func `a job that is killed for it says how`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-3)
        let batch = bench.submit(5, options: .tries(1))
        let chunk = try bench.start()
        #expect(cancel(batch, &bench) == [chunk.id])
        var failure = Failure(kind: .cancelled, message: "cancelled")
        failure.death = DeathCertificate(processID: 7, signal: "SIGTERM")
        bench.end(of: chunk.id, .interrupted(position: 1, failure: failure), at: bench.now)
        bench.commit()
        #expect(counts(batch, bench) == [.cancelled: 5])
        #expect(bench.store.stored(batch).attempts.map(\.index) == [1])
        #expect(bench.store.stored(batch).attempts.map(\.failure.death?.signal) == ["SIGTERM"])
    }

    @Test func `a job whose neighbour's batch is cancelled runs again at no cost`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-3)
        let batch = bench.submit(5, options: .tries(1))
        let chunk = try bench.start()
        let failure = Failure(kind: .cancelled, message: "cancelled")
        bench.end(of: chunk.id, .interrupted(position: 0, failure: failure), at: bench.now)
        bench.commit()
        #expect(bench.store.stored(batch).attempts.isEmpty)
        while let chunk = try bench.next() { bench.complete(chunk) }
        bench.commit()
        #expect(counts(batch, bench) == [.succeeded: 5])
    }

    @Test func `while jobs rest before their retry`() throws {
        var bench = Bench(slots: 1)
        let batch = bench.submit(1, options: .tries(3, rest: 60))
        let chunk = try bench.start()
        bench.hear(of: chunk.id, position: 0, runs: [.failed(.exception)], at: bench.now)
        bench.end(of: chunk.id, .completed(busy: 0.1), at: bench.now)
        bench.commit()
        #expect(cancel(batch, &bench).isEmpty)
        bench.commit()
        #expect(bench.store.stored(batch).record.phase == .cancelled)

        // The timer that is left over does nothing to the batch that comes to the same place.
        let next = bench.submit(1, options: .tries(3, rest: 60))
        bench.advance(seconds: 61)
        bench.complete(try bench.start())
        #expect(try bench.next() == nil)
        bench.commit()
        #expect(counts(next, bench) == [.succeeded: 1])
    }

    @Test func `others in the same chunk run again at no cost`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-6)
        let (first, second) = (bench.submit(2), bench.submit(2))
        let chunk = try bench.start()
        #expect(chunk.parts.map(\.batch) == [first, second])
        #expect(cancel(first, &bench) == [chunk.id])
        bench.end(of: chunk.id, .returned, at: bench.now)
        let again = try bench.start()
        #expect(again.parts.map(\.batch) == [second] && again.parts[0].attempt == 1)
        bench.complete(again)
        bench.commit()
        #expect(counts(first, bench) == [.cancelled: 2])
        #expect(counts(second, bench) == [.succeeded: 2])
    }

    @Test func `when its jobs in a shared chunk are done, the chunk goes on`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-6)
        let first = bench.submit(2)
        bench.submit(2)
        let chunk = try bench.start()
        let run = ChunkRun.succeeded(count: 2, body: Chunk.results(0..<2))
        bench.hear(of: chunk.id, position: 0, runs: [run], at: bench.now)
        #expect(cancel(first, &bench).isEmpty)
        bench.commit()
        #expect(counts(first, bench) == [.succeeded: 2])
    }

    @Test func `a batch that is not in memory`() throws {
        var limits = ScheduleLimits()
        (limits.lane, limits.allLanes, limits.smallestLane) = (1, 1, 1)
        var bench = Bench(slots: 1, limits: limits)
        let first = bench.submit(1)
        let second = bench.submit(5)
        #expect(bench.state.places[second] == nil)
        #expect(cancel(second, &bench).isEmpty)
        bench.commit()
        #expect(bench.store.stored(second).record.phase == .cancelled)
        bench.complete(try bench.start())
        bench.commit()
        try bench.readPages()
        #expect(bench.store.isFinished(first))
        #expect(try bench.next() == nil)
    }

    @Test func `after a restart in the middle of it`() throws {
        var bench = Bench(slots: 1)
        let batch = bench.submit(10)
        _ = try bench.start()
        bench.store.requestCancel(batch)
        try bench.restart()
        #expect(try bench.next() == nil)
        // News of before the restart's first look comes late.
        _ = bench.state.submitted(bench.store.stored(batch).record)
        #expect(bench.state.cancel(batch, at: bench.now).isEmpty)
        #expect(try bench.next() == nil)
        bench.commit()
        #expect(bench.store.stored(batch).record.phase == .cancelled)
        #expect(bench.state.cancelledUnseen.isEmpty)
    }

    @Test func `many at once`() throws {
        var bench = Bench(slots: 1)
        let batches = (0..<600).map { _ in bench.submit(1) }
        for batch in batches { #expect(cancel(batch, &bench).isEmpty) }
        bench.commit()
        #expect(batches.allSatisfy { bench.store.stored($0).record.phase == .cancelled })
        #expect(bench.state.places.isEmpty && bench.state.groups.allSatisfy { $0.ready == 0 })
    }

    @Test func `timers of cancelled batches do not pile up`() throws {
        var bench = Bench(slots: 1)
        try bench.learn(seconds: 1e-6)
        let kept = bench.submit(1, options: .tries(2, rest: 3600))
        let batches = (0..<3).map { _ in bench.submit(1000, options: .tries(2, rest: 60)) }
        while let chunk = try bench.next() {
            bench.hear(
                of: chunk.id, position: 0,
                runs: Array(repeating: .failed(.exception), count: chunk.count), at: bench.now)
            bench.end(of: chunk.id, .completed(busy: 0.001), at: bench.now)
        }
        bench.commit()
        #expect(bench.state.timers.count == 3001)
        for batch in batches { #expect(cancel(batch, &bench).isEmpty) }
        #expect(bench.state.timers.count <= 1025 + 1)
        bench.commit()
        bench.advance(seconds: 3600)
        bench.complete(try bench.start())
        bench.commit()
        #expect(bench.store.isFinished(kept))
        #expect(bench.state.timers.count == 0)
    }
}
