import JobModel
import JobStore
import Platform
import Synchronization
import Testing

@testable import Scheduling

/// Progress, lines and counters of running jobs.
struct SignsTests {
    private func line(_ text: String) -> LogLine {
        LogLine(time: Timestamp(microseconds: 5), source: .info, text: text)
    }

    /// A chunk of four jobs of two batches.
    private func chunk(_ bench: inout Bench) throws -> (Chunk, BatchID, BatchID) {
        try bench.learn(seconds: 1e-6)
        let (first, second) = (bench.submit(2, options: .tries(3, rest: 1)), bench.submit(2))
        let chunk = try bench.start()
        #expect(chunk.parts.map(\.batch) == [first, second])
        return (chunk, first, second)
    }

    @Test func `progress is there while the job runs`() throws {
        var bench = Bench(slots: 1)
        let (chunk, first, second) = try chunk(&bench)
        let half = JobProgress(fraction: 0.5, message: "half")
        let job = JobID(batch: second, index: 0)
        let spoke = bench.state.progressed(chunk.id, position: 2, half)
        #expect(spoke == job)
        #expect(bench.state.progress(of: job) == half)
        #expect(bench.state.progress(of: JobID(batch: first, index: 0)) == nil)
        bench.hear(of: chunk.id, position: 0, runs: [.succeeded(count: 2, body: [48, 44, 48])], at: bench.now)
        #expect(bench.state.progress(of: job) == half)
        bench.hear(of: chunk.id, position: 2, runs: [.succeeded(count: 1, body: [48])], at: bench.now)
        #expect(bench.state.progress(of: job) == nil)
        // It is done; there is no such job; there is no such chunk.
        let none = [(chunk.id, 2), (chunk.id, 4), (99, 0)].map { bench.state.progressed($0, position: $1, half) }
        #expect(none == [nil, nil, nil])
    }

    @Test func `lines are recorded with the outcome`() throws {
        var bench = Bench(slots: 1)
        let (chunk, first, second) = try chunk(&bench)
        let told = bench.state.logged(chunk.id, position: 1, [line("a"), line("b")], at: bench.now)
        #expect(told?.0 == JobID(batch: first, index: 1))
        #expect(told?.attempt == 1)
        _ = bench.state.logged(chunk.id, position: 3, [line("c")], at: bench.now)
        #expect(bench.state.logs(of: JobID(batch: first, index: 1)).flatMap { $0.lines.map(\.text) } == ["a", "b"])
        bench.commit()
        #expect(bench.store.stored(first).logs.isEmpty)
        bench.hear(of: chunk.id, position: 0, runs: [.succeeded(count: 2, body: [48, 44, 48])], at: bench.now)
        #expect(
            bench.state.logs(of: JobID(batch: first, index: 1)).flatMap { $0.lines.map(\.text) } == ["a", "b"],
            "they are on their way")
        bench.commit()
        #expect(bench.store.isFinished(first))
        #expect(bench.store.stored(first).lines(of: 1) == ["a", "b"])
        #expect(bench.store.stored(second).logs.isEmpty)
        bench.end(of: chunk.id, .returned, at: bench.now)
        bench.commit()
        #expect(bench.store.stored(second).lines(of: 1) == ["c"], "what came back has said it all the same")
    }

    @Test func `lines are recorded with the attempt`() throws {
        var bench = Bench(slots: 1)
        let (chunk, first, _) = try chunk(&bench)
        _ = bench.state.logged(chunk.id, position: 0, [line("before the crash")], at: bench.now)
        bench.end(of: chunk.id, .interrupted(position: 0, failure: .crash), at: bench.now)
        bench.commit()
        #expect(
            bench.store.stored(first).logs == [JobLog(index: 0, attempt: 1, lines: [line("before the crash")])])
        bench.complete(try bench.start())
        bench.advance(seconds: 2)
        let again = try bench.start()
        _ = bench.state.logged(again.id, position: 0, [line("once more")], at: bench.now)
        bench.complete(again)
        bench.commit()
        #expect(bench.store.stored(first).logs.map(\.attempt) == [1, 2])
    }

    @Test func `lines of a long job are recorded while it runs`() throws {
        var bench = Bench(slots: 1)
        let (chunk, first, _) = try chunk(&bench)
        _ = bench.state.logged(chunk.id, position: 0, [line("a")], at: bench.now)
        let due = try #require(bench.state.nextDue)
        #expect((due - bench.now.monotonic).seconds == 1)
        bench.state.recordDueLogs(at: bench.now)
        #expect(bench.state.nextDue == due)
        bench.advance(seconds: 1)
        bench.state.recordDueLogs(at: bench.now)
        #expect(bench.state.nextDue == nil)
        bench.commit()
        #expect(bench.store.stored(first).lines(of: 0) == ["a"])
        #expect(bench.state.logs(of: JobID(batch: first, index: 0)).isEmpty)
        bench.complete(chunk)
        bench.commit()
        #expect(bench.store.stored(first).lines(of: 0) == ["a"])
    }

    @Test func `late lines go into the same commit or nowhere`() throws {
        var bench = Bench(slots: 1)
        let (chunk, first, second) = try chunk(&bench)
        bench.hear(of: chunk.id, position: 0, runs: [.succeeded(count: 2, body: [48, 44, 48])], at: bench.now)
        _ = bench.state.logged(chunk.id, position: 1, [line("late")], at: bench.now)
        let written = bench.state.writes.next(at: bench.now.monotonic)
        let ticket = try #require(written)
        _ = bench.state.logged(chunk.id, position: 1, [line("too late")], at: bench.now)
        let isCounted = bench.state.counted(chunk.id, position: 0, [CounterDelta(name: "n", amount: 1)], at: bench.now)
        #expect(!isCounted)
        #expect(bench.state.writes.recorder.group.recordings.isEmpty, "the store takes nothing of an ended batch")
        if case .record(let group) = ticket.write { bench.store.record(group.recordings) { _ in } }
        bench.state.committed(ticket.number)
        _ = bench.state.logged(chunk.id, position: 1, [line("much too late")], at: bench.now)
        bench.end(of: chunk.id, .returned, at: bench.now)
        bench.commit()
        #expect(bench.store.stored(first).lines(of: 1) == ["late"])
        #expect(!bench.store.isFinished(second))
    }

    @Test func `a job and a batch log only so much`() throws {
        var bench = Bench(slots: 1)
        let batch = bench.submit(200, options: .chunks(.exactly(200)))
        let chunk = try bench.start()
        let text = String(repeating: "x", count: 1000)
        for position in 0..<100 {
            _ = bench.state.logged(
                chunk.id, position: position, Array(repeating: line(text), count: 20) + [line("s")], at: bench.now)
        }
        bench.advance(seconds: 2)
        bench.state.recordDueLogs(at: bench.now)
        _ = bench.state.logged(chunk.id, position: 0, [line("s")], at: bench.now)
        bench.complete(chunk)
        bench.commit()
        let logs = bench.store.stored(batch).logs
        let first = try #require(logs.first)
        #expect(first.lines.count == 16)
        #expect(first.dropped == 5, "nothing comes behind a gap")
        #expect(logs.contains(JobLog(index: 0, attempt: 1, lines: [], dropped: 1, droppedSoFar: 6)))
        let bytes = logs.reduce(0) { $0 + $1.lines.reduce(0) { $0 + $1.text.utf8.count } }
        #expect(bytes <= JobLog.bytesPerBatch && bytes > JobLog.bytesPerBatch - 1000)
        #expect(logs.reduce(0) { $0 + $1.lines.count + $1.dropped } == 2101)
    }

    @Test func `lines that were left out are counted while the job runs`() throws {
        var bench = Bench(slots: 1)
        let (chunk, first, _) = try chunk(&bench)
        let job = JobID(batch: first, index: 0)
        func seen() -> [Int] { bench.state.logs(of: job).map(\.droppedSoFar) }
        let told = [(7, ["a"]), (0, ["b"]), (2, [])].map { dropped, lines in
            bench.state.logged(chunk.id, position: 0, lines.map(line), dropped: dropped, at: bench.now)?.dropped
        }
        #expect(told == [7, nil, 9])
        #expect(seen() == [9])
        bench.advance(seconds: 1)
        bench.state.recordDueLogs(at: bench.now)
        #expect(seen() == [9], "on its way")
        bench.commit()
        #expect(seen() == [])
        #expect(bench.store.stored(first).logs.map(\.dropped) == [9])
        _ = bench.state.logged(chunk.id, position: 0, [], dropped: 4, at: bench.now)
        #expect(seen() == [13], "what is stored already is in it")
        #expect(bench.state.nextDue != nil, "nobody has to wait for the job's end")
        bench.end(of: chunk.id, .interrupted(position: 0, failure: .crash), at: bench.now)
        #expect(seen() == [13], "also of a job that does not run any more, until it is stored")
        bench.commit()
        #expect(bench.store.stored(first).logs.map(\.dropped) == [9, 4])
        #expect(seen() == [])
    }

    @Test func `counters are summed and go into the next commit`() throws {
        var bench = Bench(slots: 1)
        let (chunk, first, second) = try chunk(&bench)
        let deltas = [CounterDelta(name: "rows", amount: 3), CounterDelta(name: "bytes", amount: -1)]
        let counted = [0, 1, 2, 9].map { bench.state.counted(chunk.id, position: $0, deltas, at: bench.now) }
        #expect(counted == [true, true, true, false])
        bench.commit()
        #expect(bench.store.stored(first).record.counters == ["rows": 6, "bytes": -2])
        #expect(bench.store.stored(second).record.counters == ["rows": 3, "bytes": -1])
        for amount in [.max, 9] as [Int64] {
            _ = bench.state.counted(chunk.id, position: 0, [CounterDelta(name: "rows", amount: amount)], at: bench.now)
        }
        #expect(bench.state.writes.recorder.group.recordings[0].counters.map(\.amount) == [.max])
    }

    @Test func `an attempt begins neither before its chunk nor before its batch`() throws {
        var bench = Bench(slots: 1)
        var batch = bench.maker.batch(jobs: 1, options: .tries(2, rest: 1))
        // The wall clock was set back meanwhile.
        batch.createdAt = bench.now.wall.advanced(bySeconds: 0.1)
        _ = bench.state.submitted(bench.store.submit(batch))
        for seconds in [0.2, 2] {
            let chunk = try bench.start()
            bench.advance(seconds: 0.2)
            bench.end(of: chunk.id, .interrupted(position: 0, failure: .crash), at: bench.now)
            bench.commit()
            bench.advance(seconds: seconds + 1)
        }
        let attempts = bench.store.stored(batch.id).attempts
        #expect(
            attempts.map { $0.startedAt.seconds(since: batch.createdAt) } == [
                0, attempts[1].finishedAt.seconds(since: batch.createdAt) - 0.2,
            ])
    }

    @Test func `who watches hears of it, and nobody else costs anything`() throws {
        let station = Station { _ in [] }
        let watcher = Watcher()
        station.dispatcher.report(to: watcher)
        try station.run {
            let batch = station.store.submit(BatchMaker.batch(number: 1, jobs: 1)).id
            eventually("it runs") { station.runner.started.count == 1 }
            let chunk = station.runner.started[0]
            let job = JobID(batch: batch, index: 0)
            let half = JobProgress(fraction: 0.5)
            station.runner.tell([.progress(chunk: chunk.id, position: 0, half)])
            eventually("it is known") { station.dispatcher.progress(of: job) == half }
            #expect(watcher.events.isEmpty)
            watcher.watch()
            station.runner.tell([
                .progress(chunk: chunk.id, position: 0, half),
                .logged(chunk: chunk.id, position: 0, [line("a")], dropped: 2),
                .counted(chunk: chunk.id, position: 0, [CounterDelta(name: "n", amount: 1)]),
            ])
            eventually("it logs") { station.dispatcher.logs(of: job).count == 1 }
            station.runner.tell(ScriptedRunner.success(chunk))
            eventually("it is finished") { station.store.isFinished(batch) }
            eventually("all is told") { watcher.events.last == .changed([batch]) && watcher.events.count >= 5 }
            #expect(
                watcher.events.prefix(3) == [
                    .progress(job, half), .logged(job, attempt: 1, [line("a")]),
                    .dropped(job, attempt: 1, count: 2),
                ])
            #expect(station.store.stored(batch).lines(of: 0) == ["a"])
            #expect(station.store.stored(batch).record.counters == ["n": 1])
        }
    }

    private final class Watcher: LiveObserver {
        private let state = Mutex<(isWatching: Bool, events: [LiveEvent])>((false, []))

        var isWatching: Bool { state.withLock { $0.isWatching } }
        var events: [LiveEvent] { state.withLock { $0.events } }
        func watch() { state.withLock { $0.isWatching = true } }
        func observe(_ event: LiveEvent) { state.withLock { $0.events.append(event) } }
    }
}
