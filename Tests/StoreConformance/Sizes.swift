import JobModel
import JobStore

// Stores may keep what is small in another place than what is large.

extension Behaviour {
    private static let sizes = [1, 2, 100, 1000, 1023, 1024, 1025, 1026, 4096, 5000, 300_000]

    /// One job whose payload has so many bytes.
    private static func batch(bytes: Int) -> NewBatch {
        var batch = Sample.batch(1)
        batch.segments[0].input = [UInt8](repeating: UInt8(ascii: "4"), count: bytes)
        return batch
    }

    private static func run(bytes: Int, _ outcome: Outcome) -> OutcomeRun {
        OutcomeRun(
            first: 0, count: 1, outcome: outcome, body: [UInt8](repeating: UInt8(ascii: "2"), count: bytes))
    }

    static let bySize: [Behaviour] = [
        Behaviour("a payload of any size is found") { fixture in
            let batches = sizes.map { batch(bytes: $0) }
            for batch in batches { try fixture.submit(batch) }
            for _ in 0..<2 {
                for batch in batches {
                    let found = try fixture.store.segments(of: batch.id, covering: 0..<1, maximumBytes: 1)
                    try expect(found == batch.segments, "the segment of \(batch.segments[0].input.count) bytes differs")
                    let job = try fixture.store.job(JobID(batch: batch.id, index: 0))
                    try expect(job?.payload == batch.segments[0].input, "the payload differs")
                    try expect(job?.outcome == nil && job?.body == nil, "there is an outcome")
                }
                try fixture.reopen()
            }
        },
        Behaviour("the only outcome of a batch is found, whatever its size") { fixture in
            for outcome in [Outcome.succeeded, .failed] {
                for size in sizes {
                    let batch = batch(bytes: size)
                    let run = run(bytes: size, outcome)
                    try fixture.submit(batch)
                    try expectEqual(try fixture.store.results(of: batch.id, from: 0, maximumBytes: 1), [])
                    try fixture.record(Recording(batch: batch.id, runs: [run], recordedAt: Sample.time(1)))
                    let found = try fixture.store.results(of: batch.id, from: 0, maximumBytes: 1)
                    try expect(found == [run], "the run of \(size) bytes differs")
                    try expectEqual(try fixture.store.results(of: batch.id, from: 1, maximumBytes: 1), [])
                    let job = try unwrap(try fixture.store.job(JobID(batch: batch.id, index: 0)))
                    try expectEqual(job.outcome, outcome)
                    try expect(job.body == run.body, "the body of \(size) bytes differs")
                    let failed = try fixture.store.failedIndices(of: batch.id, limit: 9)
                    try expectEqual(failed, outcome == .failed ? [0] : [])
                }
            }
        },
        Behaviour("a batch that is cancelled or failed as a whole shows each of its jobs") { fixture in
            let (cancelled, failed) = (Sample.batch(5), Sample.batch(5))
            for batch in [cancelled, failed] { try fixture.submit(batch) }
            try fixture.requestCancel(cancelled.id)
            try fixture.cancelPending(cancelled.id, at: Sample.time(1))
            try fixture.record(Sample.recording(failed.id, Sample.run(0..<5, .failed)))
            let runs = try fixture.store.results(of: cancelled.id, from: 2, maximumBytes: 1)
            try expectEqual(runs, [Sample.run(0..<5, .cancelled)])
            let job = try unwrap(try fixture.store.job(JobID(batch: cancelled.id, index: 4)))
            try expectEqual(job.outcome, .cancelled)
            try expectEqual(job.body, nil)
            try expectEqual(try fixture.store.failedIndices(of: failed.id, limit: 3), [0, 1, 2])
            let other = try unwrap(try fixture.store.job(JobID(batch: failed.id, index: 3)))
            try expectEqual(other.body, Sample.run(3..<4, .failed).body)
        },
        Behaviour("a second outcome beside the one that ends the batch is refused") { fixture in
            for size in [10, 5000] {
                let batch = batch(bytes: 1)
                let record = try fixture.submit(batch)
                let run = run(bytes: size, .succeeded)
                try expectConflict {
                    try fixture.record(Recording(batch: batch.id, runs: [run, run], recordedAt: Sample.time(1)))
                }
                try expectConflict {
                    try fixture.record(
                        Recording(batch: batch.id, runs: [run], recordedAt: Sample.time(1)),
                        Recording(batch: batch.id, runs: [run], recordedAt: Sample.time(1)))
                }
                try expectEqual(try fixture.store.batch(batch.id), record)
                try expectEqual(try fixture.store.results(of: batch.id, from: 0, maximumBytes: 1), [])
                try fixture.record(Recording(batch: batch.id, runs: [run], recordedAt: Sample.time(1)))
                try expectEqual(try fixture.store.batch(batch.id)?.phase, .completed)
            }
        },
    ]
}
