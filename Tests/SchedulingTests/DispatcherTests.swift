import JobModel
import JobStore
import Logging
import Platform
import Testing

@testable import Scheduling

struct DispatcherTests {
    private func submit(_ station: Station, number: UInt64 = 1, jobs: Int, options: BatchOptions = BatchOptions())
        -> BatchID
    {
        station.store.submit(BatchMaker.batch(number: number, jobs: jobs, options: options)).id
    }

    @Test func `batches run to their end`() throws {
        let station = Station()
        try station.run {
            let batches = (1...200).map { submit(station, number: $0, jobs: $0.isMultiple(of: 50) ? 3000 : 1) }
            eventually("all are finished") { batches.allSatisfy(station.store.isFinished) }
            for batch in batches {
                let bodies = station.store.stored(batch).bodies
                #expect(bodies.enumerated().allSatisfy { $1 == Array(String($0).utf8) })
            }
            eventually("nothing runs") { batches.allSatisfy { station.dispatcher.running(in: $0) == 0 } }
        }
        #expect(station.fatal.isEmpty)
    }

    @Test func `what was left behind is found at the start`() throws {
        let station = Station()
        let batch = submit(station, jobs: 500)
        try station.run {
            eventually("it is finished") { station.store.isFinished(batch) }
        }
    }

    @Test func `an idle dispatcher does nothing`() throws {
        let station = Station()
        try station.run {
            let batch = submit(station, jobs: 100)
            eventually("it is finished") {
                station.store.isFinished(batch) && station.dispatcher.running(in: batch) == 0
            }
            // It looks at the clock whenever it is awake.
            var reads = -1
            eventually("it falls asleep") {
                defer { reads = station.clock.reads }
                return reads == station.clock.reads
            }
            reads = station.clock.reads
            let queries = station.store.reads
            for _ in 0..<100 { letOthersRun() }
            #expect(station.clock.reads == reads)
            #expect(station.store.reads == queries)
        }
    }

    @Test func `a retry starts when it is due`() throws {
        let station = Station { chunk in
            let run = chunk.parts[0].attempt == 1 ? ChunkRun.failed(.exception) : chunk.successes[0]
            return [
                .outcomes(chunk: chunk.id, position: 0, runs: [run]), .ended(chunk: chunk.id, .completed(busy: 0.001)),
            ]
        }
        try station.run {
            let batch = submit(station, jobs: 1, options: .tries(2, rest: 30))
            eventually("the attempt is recorded") { station.store.stored(batch).attempts.count == 1 }
            station.advance(seconds: 29)
            station.advance(seconds: 1)
            eventually("it is finished") { station.store.isFinished(batch) }
            #expect(station.runner.started.map { $0.parts[0].attempt } == [1, 2])
        }
    }

    @Test func `a cancelled batch ends, and what runs is stopped`() throws {
        let station = Station { _ in [] }
        try station.run {
            let batch = submit(station, jobs: 100)
            eventually("two chunks run") { station.dispatcher.running(in: batch) == 2 }
            #expect(station.dispatcher.isRunning(JobID(batch: batch, index: 1)))
            #expect(!station.dispatcher.isRunning(JobID(batch: batch, index: 2)))
            station.store.requestCancel(batch)
            eventually("it is finished") { station.store.isFinished(batch) }
            #expect(station.store.stored(batch).record.phase == .cancelled)
            #expect(Set(station.runner.cancelled) == [1, 2])
        }
    }

    @Test func `follows the number of slots`() throws {
        let station = Station { _ in [] }
        try station.run {
            station.dispatcher.handle(.slots(0))
            let batch = submit(station, jobs: 100)
            station.dispatcher.handle(.slots(5))
            eventually("five chunks run") { station.dispatcher.running(in: batch) == 5 }
        }
    }

    @Test func `a full store loses nothing and gets no new work`() throws {
        let station = Station(slots: 1)
        try station.run {
            station.store.setFull(true)
            let batch = submit(station, jobs: 100)
            eventually("it is logged") { station.log.count(.error, "full") == 1 }
            let started = station.runner.started.count
            for _ in 0..<5 { station.advance(seconds: 10) }
            #expect(station.runner.started.count == started)
            #expect(station.log.count(.error, "full") == 1)
            station.store.setFull(false)
            eventually("it is finished") {
                // The last refusal may be heard of only now, and puts the next try off.
                station.advance(seconds: 10)
                return station.store.isFinished(batch)
            }
            eventually("that is logged, too") { station.log.count(.notice, "again") == 1 }
        }
        #expect(station.fatal.isEmpty)
    }

    @Test func `outcomes that the store does not take hold up the runner`() throws {
        var limits = ScheduleLimits()
        limits.heldBytes = 300
        limits.unrecordedBytes = 200
        let station = Station(slots: 1, limits: limits)
        try station.run {
            station.store.setFull(true)
            let batch = submit(station, jobs: 1000)
            eventually("it is paused") { station.runner.pauses == [true] }
            station.advance(seconds: 10)
            #expect(station.runner.pauses == [true])
            station.store.setFull(false)
            eventually("it is finished") {
                station.advance(seconds: 10)
                return station.store.isFinished(batch)
            }
            eventually("it goes on") { station.runner.pauses.last == false }
        }
    }

    @Test(arguments: [StoreError.conflict("x"), .broken("x"), .unusable("x")])
    func `a store that fails stops everything, once`(error: StoreError) throws {
        let station = Station { _ in [] }
        try station.run {
            let batch = submit(station, jobs: 100)
            eventually("two chunks run") { station.dispatcher.running(in: batch) == 2 }
            station.store.fail(with: error)
            for chunk in station.runner.started { station.runner.tell(ScriptedRunner.success(chunk)) }
            eventually("it is told") { station.fatal == [error] }
            let started = station.runner.started.count
            _ = submit(station, number: 2, jobs: 1)
            station.dispatcher.handle(.slots(10))
            let before = MonotonicTime.now()
            #expect(!station.dispatcher.drain(grace: TimeSpan(seconds: 10)))
            #expect((MonotonicTime.now() - before).seconds < 9, "nothing is left to wait for")
            #expect(station.runner.started.count == started)
        }
        #expect(station.fatal == [error])
    }

    @Test func `after the end a retry that is due keeps nobody awake`() throws {
        let station = Station { chunk in
            [
                .outcomes(chunk: chunk.id, position: 0, runs: [.failed(.exception)]),
                .ended(chunk: chunk.id, .completed(busy: 0.001)),
            ]
        }
        try station.run {
            let batch = submit(station, jobs: 1, options: .tries(2, rest: 30))
            eventually("the attempt is recorded") { station.store.stored(batch).attempts.count == 1 }
            station.store.fail(with: .broken("x"))
            _ = submit(station, number: 2, jobs: 1)
            eventually("it is told") { !station.fatal.isEmpty }
            station.advance(seconds: 60)
            var reads = -1
            eventually("it falls asleep") {
                defer { reads = station.clock.reads }
                return reads == station.clock.reads
            }
            for _ in 0..<100 { letOthersRun() }
            #expect(station.clock.reads == reads)
        }
    }

    @Test func `a store that is being closed is no failure`() throws {
        let station = Station()
        station.store.fail(with: .closed)
        #expect(throws: StoreError.closed) { try station.dispatcher.start() }
        let other = Station { _ in [] }
        try other.run {
            _ = submit(other, jobs: 1)
            eventually("it runs") { other.runner.started.count == 1 }
            other.store.fail(with: .closed)
            other.runner.tell(ScriptedRunner.success(other.runner.started[0]))
            #expect(!other.dispatcher.drain(grace: TimeSpan(seconds: 10)))
        }
        #expect(other.fatal.isEmpty)
    }

    @Test func `a missing payload stops everything`() throws {
        let station = Station()
        try station.run {
            var batch = BatchMaker.batch(number: 1, jobs: 5)
            batch.segments[0].first = 100
            station.store.submit(batch)
            eventually("it is told") { station.fatal.count == 1 }
        }
    }

    @Test func `a drain waits for what runs, and for its commit`() throws {
        let station = Station { _ in [] }
        try station.run {
            let batch = submit(station, jobs: 100)
            eventually("two chunks run") { station.runner.started.count == 2 }
            #expect(!station.dispatcher.drain(grace: .zero, cleanup: TimeSpan(seconds: 10)))
            #expect(Set(station.runner.recalled) == [1, 2])
            #expect(Set(station.runner.aborted) == [1, 2])
            #expect(station.dispatcher.running(in: batch) == 0)
            #expect(station.runner.started.count == 2, "nothing was handed out any more")
            #expect(station.store.stored(batch).attempts.isEmpty)
        }

        let other = Station { _ in [] }
        try other.run {
            let batch = submit(other, jobs: 1)
            eventually("it runs") { other.runner.started.count == 1 }
            other.store.hold()
            other.runner.tell(ScriptedRunner.success(other.runner.started[0]))
            #expect(!other.dispatcher.drain(grace: .milliseconds(20), cleanup: .milliseconds(20)))
            #expect(other.log.count(.error, "not recorded") == 1)
            other.store.release()
            #expect(other.dispatcher.drain(grace: TimeSpan(seconds: 10)))
            #expect(other.store.isFinished(batch))
            #expect(other.runner.cancelled.isEmpty)
        }
    }

    @Test func `a pause recalls what runs, and what comes back waits`() throws {
        let station = Station(slots: 1) { _ in [] }
        try station.run {
            let batch = submit(station, jobs: 100, options: .chunks(.exactly(100)))
            eventually("a chunk runs") { station.runner.started.count == 1 }
            station.store.configure(QueueRecord(name: "default", settings: QueueSettings(isPaused: true)))
            eventually("it is recalled") { station.runner.recalled == [1] }
            station.runner.tell([
                .outcomes(chunk: 1, position: 0, runs: [.succeeded(count: 2, body: Array("0,1".utf8))]),
                .ended(chunk: 1, .returned),
            ])
            eventually("nothing runs") { station.dispatcher.running(in: batch) == 0 }
            #expect(station.runner.started.count == 1)
            station.store.configure(QueueRecord(name: "default", settings: QueueSettings()))
            eventually("the rest runs") { station.runner.started.count == 2 }
            let rest = station.runner.started[1]
            #expect(rest.contents == ["1:2..<100"])
            #expect(rest.parts.map(\.attempt) == [1])
            station.runner.tell(ScriptedRunner.success(rest))
            eventually("it is finished") { station.store.isFinished(batch) }
        }
    }

    @Test func `events that fit nothing are logged`() throws {
        let station = Station()
        try station.run {
            station.runner.tell([.ended(chunk: 77, .returned)])
            eventually("it is logged") { station.log.count(.error, "chunk") == 1 }
        }
    }

    @Test func `a batch nobody can run waits with a warning`() throws {
        let station = Station()
        let batch = BatchMaker.batch(number: 1, jobs: 1, handler: "gone")
        station.store.submit(batch)
        try station.run {
            eventually("it is logged") { station.log.count(.warning, "handler") > 0 }
            let other = submit(station, number: 2, jobs: 1)
            eventually("others go on") { station.store.isFinished(other) }
            #expect(!station.store.isFinished(batch.id))
        }
    }
}
