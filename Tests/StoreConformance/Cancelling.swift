import JobModel
import JobStore

extension Behaviour {
    static let cancelling: [Behaviour] = [
        Behaviour("a cancel request is stored and told once") { fixture in
            let batch = Sample.batch(3)
            var expected = try fixture.submit(batch)
            expected.phase = .cancelling
            try expectEqual(try fixture.requestCancel(batch.id), expected)
            try expectEqual(try fixture.requestCancel(batch.id), expected)
            try expectEqual(fixture.log.cancelRequested, [batch.id])
            try fixture.reopen()
            try expectEqual(try fixture.requestCancel(batch.id), expected)
            try expectEqual(
                try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 9).map(\.record),
                [expected])
        },
        Behaviour("an unknown or finished batch is not cancelled") { fixture in
            try expectEqual(try fixture.requestCancel(Sample.batchID()), nil)
            let batch = Sample.batch(1)
            try fixture.submit(batch)
            try fixture.record(Sample.recording(batch.id, Sample.run(0..<1)))
            let record = try fixture.store.batch(batch.id)
            try expectEqual(try fixture.requestCancel(batch.id), record)
            try expectEqual(try fixture.store.batch(batch.id), record)
            try expectEqual(fixture.log.cancelRequested, [])
        },
        Behaviour("what is pending is cancelled, and the batch ends with what was running") { fixture in
            let batch = Sample.batch(100)
            try fixture.submit(Sample.batch(10))
            try fixture.submit(batch)
            try fixture.submit(Sample.batch(10))
            try fixture.record(Sample.recording(batch.id, Sample.run(10..<20), Sample.run(60..<61, .failed), at: 1))
            try fixture.record(
                Recording(batch: batch.id, attempts: [Sample.attempt(70, retryAfter: 9)], recordedAt: Sample.time(1)))
            try fixture.requestCancel(batch.id)
            try fixture.cancelPending(batch.id, except: [90..<95, 30..<40, 20..<21], at: Sample.time(2))
            let record = try unwrap(try fixture.store.batch(batch.id))
            try expectEqual(record.counts, OutcomeCounts(succeeded: 10, failed: 1, cancelled: 73))
            try expectEqual(record.phase, .cancelling)
            let left = try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 9)[1]
            try expectEqual(left.remaining, [20..<21, 30..<40, 90..<95])
            try expectEqual(left.retries, [])
            try fixture.record(
                Sample.recording(
                    batch.id, Sample.run(20..<21), Sample.run(90..<95, .cancelled), Sample.run(30..<40), at: 3))
            let end = try unwrap(try fixture.store.batch(batch.id))
            try expectEqual(end.phase, .cancelled)
            try expectEqual(end.finishedAt, Sample.time(3))
            try expectEqual(end.counts, OutcomeCounts(succeeded: 21, failed: 1, cancelled: 78))
            try expectEqual(fixture.log.finished, [end])
        },
        Behaviour("cancelling a fresh batch ends it at once") { fixture in
            let batch = Sample.batch(5000)
            try fixture.submit(batch)
            try fixture.requestCancel(batch.id)
            try fixture.cancelPending(batch.id, at: Sample.time(4))
            let record = try unwrap(try fixture.store.batch(batch.id))
            try expectEqual(record.phase, .cancelled)
            try expectEqual(record.counts, OutcomeCounts(cancelled: 5000))
            try expectEqual(record.finishedAt, Sample.time(4))
            try expectEqual(fixture.log.finished, [record])
            let job = try unwrap(try fixture.store.job(JobID(batch: batch.id, index: 4999)))
            try expectEqual(job.outcome, .cancelled)
            try expectEqual(job.body, nil)
            try expectConflict { try fixture.cancelPending(batch.id, at: Sample.time(5)) }
        },
        Behaviour("with everything running nothing is cancelled") { fixture in
            let batch = Sample.batch(5)
            let record = try fixture.submit(batch)
            try fixture.cancelPending(batch.id, except: [3..<5, 0..<3], at: Sample.time(1))
            try expectEqual(try fixture.store.batch(batch.id), record)
        },
        Behaviour("a cancel request does not undo outcomes: the batch ends as cancelled") { fixture in
            let batch = Sample.batch(2)
            try fixture.submit(batch)
            try fixture.requestCancel(batch.id)
            try fixture.reopen()
            try fixture.record(Sample.recording(batch.id, Sample.run(0..<2)))
            try expectEqual(try fixture.store.batch(batch.id)?.phase, .cancelled)
            try expectEqual(try fixture.store.batch(batch.id)?.counts, OutcomeCounts(succeeded: 2))
        },
    ]
}
