import JobModel
import JobStore

extension Behaviour {
    static let unfinished: [Behaviour] = [
        Behaviour("an empty store has no work") { fixture in
            try expectEqual(try fixture.store.unfinishedLanes(), [])
            try expectEqual(try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 10), [])
        },
        Behaviour("priorities of unfinished batches are listed from the highest") { fixture in
            var last: BatchID?
            for priority in [0, -100, 5, 100, 5, 0] {
                let batch = Sample.batch(1, options: BatchOptions(priority: priority))
                try fixture.submit(batch)
                last = priority == 100 ? batch.id : last
            }
            try expectEqual(try fixture.store.unfinishedLanes().map(\.priority), [100, 5, 0, -100])
            try fixture.record(Sample.recording(try unwrap(last), Sample.run(0..<1)))
            try expectEqual(try fixture.store.unfinishedLanes().map(\.priority), [5, 0, -100])
        },
        Behaviour("unfinished batches come page by page in the order of submission") { fixture in
            let batches = (0..<10).map { index in
                Sample.batch(2, options: BatchOptions(priority: index == 4 ? 1 : 0))
            }
            for batch in batches { try fixture.submit(batch) }
            try fixture.record(Sample.recording(batches[2].id, Sample.run(0..<2)))
            let expected = [0, 1, 3, 5, 6, 7, 8, 9].map { batches[$0].id }
            var seen: [BatchID] = []
            while true {
                let page = try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: seen.last, limit: 3)
                if page.isEmpty { break }
                try expect(page.count <= 3, "\(page.count) batches on a page of 3")
                seen += page.map(\.record.id)
            }
            try expectEqual(seen, expected)
            // A place in the order stays one when the batch there is finished.
            let page = try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: batches[2].id, limit: 2)
            try expectEqual(page.map(\.record.id), [batches[3].id, batches[5].id])
        },
        Behaviour("a fresh batch is left to do as a whole") { fixture in
            let batch = Sample.batch(2500)
            let record = try fixture.submit(batch)
            let left = try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 1)
            try expectEqual(left, [UnfinishedBatch(record: record, remaining: [0..<2500])])
        },
        Behaviour("what has an outcome is not left to do, and retries are listed apart") { fixture in
            let batch = Sample.batch(100)
            try fixture.submit(Sample.batch(100, options: BatchOptions(priority: 9)))
            try fixture.submit(batch)
            try fixture.submit(Sample.batch(100, options: BatchOptions(priority: 9)))
            try fixture.record(
                Sample.recording(batch.id, Sample.run(0..<10), Sample.run(20..<30, .failed), Sample.run(30..<40)))
            let attempts = [
                Sample.attempt(10, retryAfter: 10), Sample.attempt(19, retryAfter: 19),
                Sample.attempt(50, retryAfter: 5),
                Sample.attempt(50, number: 2, retryAfter: 50), Sample.attempt(51, retryAfter: 7),
                Sample.attempt(99, retryAfter: 99), Sample.attempt(60, retryAfter: 60),
            ]
            try fixture.record(Recording(batch: batch.id, attempts: attempts, recordedAt: Sample.time(1)))
            // This one was tried and has its outcome since.
            try fixture.record(Sample.recording(batch.id, Sample.run(60..<61)))
            for _ in 0..<2 {
                let left = try unwrap(
                    try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 5).first)
                try expectEqual(left.remaining, [11..<19, 40..<50, 52..<60, 61..<99])
                let expected = [(10, 1, 10.0), (19, 1, 19), (50, 2, 50), (51, 1, 7), (99, 1, 99)]
                try expectEqual(
                    left.retries,
                    expected.map { PendingRetry(index: $0.0, failedAttempts: $0.1, dueAt: Sample.time($0.2)) })
                try fixture.reopen()
            }
        },
        Behaviour("many fragments are found") { fixture in
            let batch = Sample.batch(20_000)
            try fixture.submit(batch)
            let runs = stride(from: 0, to: 20_000, by: 2).map { Sample.run($0..<$0 + 1) }
            try fixture.record(Recording(batch: batch.id, runs: runs, recordedAt: Sample.time(1)))
            let left = try unwrap(
                try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 1).first)
            try expectEqual(left.remaining.count, 10_000)
            try expectEqual(left.remaining.last, 19_999..<20_000)
        },
    ]
}
