import Glibc
import JobModel
import Platform
import Testing

@testable import WorkerPool

/// What the pool shows, how it changes its size, replaces workers and waits for its consumer, against real processes.
@Suite struct SupervisionTests {
    @Test func aSnapshotShowsWhatRuns() throws {
        let test = try TestPool(slots: 1)
        let worker = try #require(Int32(try test.run(TestPool.chunk(1, "whoami", ["0", "0"])).results[0] ?? ""))
        test.pool.run(
            Chunk(id: 2, handler: "hang", timeout: nil, parts: [TestPool.part(["0"], first: 41)]))
        try eventually("it is seen") { test.pool.snapshot().workers.contains { $0.job != nil } }
        let snapshot = test.pool.snapshot()
        #expect(snapshot.size == 1)
        #expect(snapshot.runtimes.map(\.name) == ["swift"])
        #expect(snapshot.runtimes[0].state == .ready)
        #expect(snapshot.runtimes[0].handlers == TestPool.handlers)
        let busy = try #require(snapshot.workers.first { $0.state == .busy })
        #expect(busy.processID == worker)
        #expect(busy.handler == "hang")
        #expect(busy.job == JobID(batch: TestPool.batch, index: 41))
        #expect(busy.jobs == 2)
        #expect(busy.since >= 0 && busy.since <= busy.age)
        #expect(try #require(busy.residentBytes) > 1 << 20)
        test.pool.stop()
        #expect(test.pool.snapshot().workers.isEmpty, "also when it has ended")
    }

    @Test func theSizeChangesWhileItRuns() throws {
        let test = try TestPool(slots: 1)
        try test.waitForSlots(1)
        test.pool.resize(to: 3)
        try test.waitForSlots(3)
        try eventually("three are idle") { test.pool.snapshot().workers.count { $0.state == .idle } == 3 }
        test.pool.resize(to: 1)
        try test.waitForSlots(1, occurrences: 2)
        try eventually("one is left") { test.pool.snapshot().workers.count == 1 }
        #expect(try test.run(TestPool.chunk(1, "square", ["3"])).results == ["9"])
    }

    @Test func wornWorkersAreReplaced() throws {
        let byJobs = HandlerProfile(name: "whoami", recycling: RecyclingPolicy(jobs: 3))
        let bySize = HandlerProfile(name: "hoard", recycling: RecyclingPolicy(residentBytes: 100 << 20))
        let test = try TestPool(rules: [byJobs, bySize])
        var workers: [String?] = []
        for id: UInt64 in 1...9 { workers += try test.run(TestPool.chunk(id, "whoami", ["0"])).results }
        #expect(workers[0] == workers[2])
        #expect(workers[3] != workers[2])
        #expect(workers[3] == workers[5])
        #expect(Set(workers).count == 3)
        let small = try test.run(TestPool.chunk(20, "hoard", ["1"])).results
        let large = try test.run(TestPool.chunk(21, "hoard", [String(150 << 20)])).results
        #expect(small == large)
        #expect(try test.run(TestPool.chunk(22, "hoard", ["1"])).results != large)
        try eventually("the old ones are gone") { test.pool.snapshot().workers.count == 1 }
    }

    @Test func finishedNeighboursAreHeardOfWhileALongJobRuns() throws {
        let test = try TestPool()
        let marker = markerPath()
        test.pool.run(TestPool.chunk(1, "mark", ["\"\"", "\"\"", "\"\(marker)\""]))
        try awaitMarker(marker)
        // The chunk never ends by itself: this can only come from the page.
        let runs = try test.wait("the outcomes") { events in
            let runs = events.flatMap { event -> [ChunkRun] in
                if case .outcomes(1, _, let runs) = event { runs } else { [] }
            }
            return runs.reduce(0) { $0 + $1.count } == 2 ? runs : nil
        }
        #expect(runs == [.succeeded(count: 2, body: Array("\"\",\"\"".utf8))])
        test.pool.cancel(1)
        let report = try test.report(of: 1)
        #expect(report.results.count == 2, "they come once only")
        guard case .interrupted(2, let failure) = report.end else { throw StateHarness.Unexpected(end: report.end) }
        #expect(failure.kind == .cancelled)
        #expect(failure.death?.signal == "SIGTERM")
    }

    @Test func theyComeOnceAlsoWhenTheChunkEnds() throws {
        let test = try TestPool()
        let report = try test.run(TestPool.chunk(1, "sleep", ["0", "0.01", "0.4", "0.02", "0.4"]))
        #expect(report.results == ["0", "0.01", "0.4", "0.02", "0.4"])
        guard case .completed = report.end else { throw StateHarness.Unexpected(end: report.end) }
    }

    @Test func aPausedPoolLetsItsWorkersWait() throws {
        let test = try TestPool(slots: 1)
        _ = try test.run(TestPool.chunk(1, "square", ["1"]))
        test.pool.pause()
        // More than sockets hold, and a time-out that would be over: nobody is charged for the wait.
        test.pool.run(TestPool.chunk(2, "letters", [String](repeating: "1000000", count: 8), timeout: 0.3))
        try eventually("the worker is blocked") {
            let worker = test.pool.snapshot().workers.first
            return worker?.state == .busy && worker?.job == nil && (worker?.since ?? 0) > 0.8
        }
        test.pool.resume()
        let report = try test.report(of: 2)
        #expect(report.results.count == 8)
        guard case .completed = report.end else { throw StateHarness.Unexpected(end: report.end) }
    }

    @Test func additionsToCountersComeOnceEach() throws {
        let test = try TestPool(slots: 2)
        for id: UInt64 in 1...4 {
            test.pool.run(TestPool.chunk(id, "counted", [String](repeating: "1", count: 5000)))
        }
        for id: UInt64 in 1...4 { _ = try test.report(of: id) }
        #expect(test.count(of: "seen") == 20_000)
        let (position, _) = try test.interruption(TestPool.chunk(5, "counted", ["100", "100", "13", "100"]))
        #expect(position == 2)
        #expect(test.count(of: "seen") == 20_213, "also those that were on the page when the worker died")
    }

    @Test func aJobSaysHowFarItIs() throws {
        let test = try TestPool()
        test.pool.run(TestPool.chunk(1, "speaking", ["false", "true"]))
        _ = try test.wait("both have spoken") { events -> Bool? in
            let progress = events.compactMap { event -> Int? in
                if case .progress(1, let position, JobProgress(fraction: 0.5, message: "half")) = event {
                    position
                } else {
                    nil
                }
            }
            return progress.contains(1) ? true : nil
        }
        test.pool.cancel(1)
        _ = try test.report(of: 1)
        #expect(test.lines(of: 1).map(\.text) == ["careful", "careful"])
        #expect(test.lines(of: 1).allSatisfy { $0.source == .warning })
    }

    @Test func sharedValuesReachTheirJobs() throws {
        let test = try TestPool(slots: 2)
        var id: UInt64 = 0
        // More batches than a worker holds values of, in turns.
        for round in 0..<5 {
            for batch: UInt64 in 1...7 {
                id += 1
                let value = SharedValue(batch: BatchID(ULID(high: 5, low: batch)), bytes: Array("\(batch * 100)".utf8))
                let part = Chunk.Part(batch: value.batch, first: 0, count: 1, attempt: 1, input: Array("\(round)".utf8))
                let chunk = Chunk(id: id, handler: "shared", timeout: nil, shared: value, parts: [part])
                #expect(try test.run(chunk).results == ["\(batch * 100 + UInt64(round))"])
            }
        }
    }

    @Test(arguments: [SIGTERM, SIGKILL]) func killingIdleWorkersCostsNothing(signal: Int32) throws {
        let test = try TestPool(slots: 2)
        var id: UInt64 = 0
        for _ in 0..<5 {
            id += 1
            _ = try test.run(TestPool.chunk(id, "square", ["1"]))
            for worker in test.pool.snapshot().workers { if let process = worker.processID { kill(process, signal) } }
            var report: TestPool.Report
            repeat {
                id += 1
                report = try test.run(TestPool.chunk(id, "square", ["3"]))
            } while report.isUntouched
            #expect(report.results == ["9"])
        }
    }
}
