import JobModel
import JobStore

extension Behaviour {
    static let attempts: [Behaviour] = [
        Behaviour("attempts are read back with their job") { fixture in
            let batch = Sample.batch(5)
            try fixture.submit(batch)
            let death = DeathCertificate(
                processID: 77, signal: "SIGSEGV", cpuSeconds: 1.25, peakResidentBytes: 1 << 40, wallSeconds: 2,
                standardError: "oh no\n")
            var first = Sample.attempt(3, number: 1, retryAfter: 60)
            first.failure = Failure(kind: .signal, message: "died", death: death)
            let last = Sample.attempt(3, number: 2, retryAfter: nil)
            try fixture.record(Recording(batch: batch.id, attempts: [first], recordedAt: Sample.time(1)))
            try fixture.record(
                Recording(
                    batch: batch.id, runs: [Sample.run(3..<4, .failed)], attempts: [last], recordedAt: Sample.time(2)))
            try fixture.reopen()
            let job = try unwrap(try fixture.store.job(JobID(batch: batch.id, index: 3)))
            try expectEqual(job.attempts, [first, last])
            try expectEqual(job.outcome, .failed)
            try expectEqual(try fixture.store.job(JobID(batch: batch.id, index: 2))?.attempts, [])
            try expectEqual(try fixture.store.batch(batch.id)?.startedAt, Sample.time(1))
            try expectEqual(try fixture.store.batch(batch.id)?.counts, OutcomeCounts(failed: 1))
        },
        Behaviour("the same attempt twice, or one of a job that has its outcome, is refused") { fixture in
            let batch = Sample.batch(5)
            try fixture.submit(batch)
            try fixture.submit(Sample.batch(5))
            let attempt = Sample.attempt(1, retryAfter: 5)
            try fixture.record(
                Recording(
                    batch: batch.id, runs: [Sample.run(2..<3)], attempts: [attempt], recordedAt: Sample.time(1)))
            let before = try fixture.store.batch(batch.id)
            for refused in [attempt, Sample.attempt(2, retryAfter: 5), Sample.attempt(5, retryAfter: 5)] {
                try expectConflict {
                    try fixture.record(
                        Recording(
                            batch: batch.id, runs: [Sample.run(4..<5)], attempts: [refused],
                            recordedAt: Sample.time(2)))
                }
            }
            try expectEqual(try fixture.store.batch(batch.id), before)
        },
    ]
}
