import JobModel
import JobStore

extension Behaviour {
    static let recording: [Behaviour] = [
        Behaviour("outcomes are counted, and the first one starts the batch") { fixture in
            let batch = Sample.batch(10)
            try fixture.submit(batch)
            try fixture.record(
                Sample.recording(
                    batch.id, Sample.run(0..<3), Sample.run(3..<4, .failed), Sample.run(8..<10, .expired), at: 1))
            try fixture.record(Sample.recording(batch.id, Sample.run(4..<5), at: 2))
            let record = try unwrap(try fixture.store.batch(batch.id))
            try expectEqual(record.counts, OutcomeCounts(succeeded: 4, failed: 1, expired: 2))
            try expectEqual(record.phase, .active)
            try expectEqual(record.startedAt, Sample.time(1))
            try expectEqual(record.finishedAt, nil)
            try expectEqual(fixture.log.finished, [])
        },
        Behaviour("the last outcome finishes the batch, and observers hear of it once") { fixture in
            let batch = Sample.batch(4)
            try fixture.submit(batch)
            try fixture.record(Sample.recording(batch.id, Sample.run(1..<4), at: 1))
            try fixture.record(Sample.recording(batch.id, Sample.run(0..<1, .failed), at: 2))
            let record = try unwrap(try fixture.store.batch(batch.id))
            try expectEqual(record.phase, .completed)
            try expectEqual(record.counts, OutcomeCounts(succeeded: 3, failed: 1))
            try expectEqual(record.startedAt, Sample.time(1))
            try expectEqual(record.finishedAt, Sample.time(2))
            try expectEqual(fixture.log.finished, [record])
            try expectEqual(fixture.log.deliveriesAdded, 0)
        },
        Behaviour("the news of the end brings the outcomes along if they are few and came at once") { fixture in
            let (lone, twoSteps, retried, large) = (Sample.batch(1), Sample.batch(2), Sample.batch(1), Sample.batch(1))
            for batch in [lone, twoSteps, retried, large] { try fixture.submit(batch) }
            let run = Sample.run(0..<1)
            try fixture.record(Sample.recording(lone.id, run))
            try fixture.record(Sample.recording(twoSteps.id, run))
            try fixture.record(Sample.recording(twoSteps.id, Sample.run(1..<2)))
            try fixture.record(
                Recording(
                    batch: retried.id, runs: [Sample.run(0..<1, .failed)],
                    attempts: [Sample.attempt(0, retryAfter: nil)],
                    recordedAt: Sample.time(1)))
            var body = [UInt8](repeating: UInt8(ascii: "x"), count: 100_000)
            body[0] = UInt8(ascii: "\"")
            body[body.count - 1] = UInt8(ascii: "\"")
            try fixture.record(
                Sample.recording(large.id, OutcomeRun(first: 0, count: 1, outcome: .succeeded, body: body)))
            try expectEqual(fixture.log.finished.map(\.id), [lone.id, twoSteps.id, retried.id, large.id])
            try expectEqual(fixture.log.finishedOutcomes, [[run], [], [], []])
        },
        Behaviour(
            "the news of the end does not bring the outcomes along if there are logs: they belong to the job as well"
        ) {
            fixture in
            let (together, before) = (Sample.batch(1), Sample.batch(1))
            for batch in [together, before] { try fixture.submit(batch) }
            let log = JobLog(
                index: 0, attempt: 1, lines: [LogLine(time: Sample.time(1), source: .info, text: "said")])
            try fixture.record(
                Recording(batch: together.id, runs: [Sample.run(0..<1)], logs: [log], recordedAt: Sample.time(1)))
            try fixture.record(Recording(batch: before.id, logs: [log], recordedAt: Sample.time(1)))
            try fixture.record(Sample.recording(before.id, Sample.run(0..<1)))
            try expectEqual(fixture.log.finished.map(\.id), [together.id, before.id])
            try expectEqual(fixture.log.finishedOutcomes, [[], []])
        },
        Behaviour("several recordings and several batches share a call") { fixture in
            let (left, right) = (Sample.batch(4), Sample.batch(2))
            try fixture.submit(left)
            try fixture.submit(right)
            try fixture.record(
                Sample.recording(left.id, Sample.run(2..<4)), Sample.recording(right.id, Sample.run(0..<2)),
                Sample.recording(left.id, Sample.run(0..<1)))
            try expectEqual(try fixture.store.batch(left.id)?.counts.succeeded, 3)
            try expectEqual(try fixture.store.batch(right.id)?.phase, .completed)
        },
        Behaviour("an empty recording changes nothing") { fixture in
            let batch = Sample.batch(4)
            let record = try fixture.submit(batch)
            try fixture.record(Sample.recording(batch.id))
            try fixture.record()
            try expectEqual(try fixture.store.batch(batch.id), record)
        },
        Behaviour("a second outcome is refused and changes nothing") { fixture in
            let batch = Sample.batch(100)
            try fixture.submit(Sample.batch(50))
            try fixture.submit(batch)
            try fixture.submit(Sample.batch(50))
            try fixture.record(Sample.recording(batch.id, Sample.run(20..<30), Sample.run(30..<31, .failed)))
            for _ in 0..<2 {
                let before = try fixture.store.batch(batch.id)
                for range in [20..<30, 25..<26, 29..<30, 30..<31, 10..<21, 29..<40, 0..<100, 15..<35, 30..<90] {
                    let harmless = Sample.run(50..<60)
                    try expectConflict {
                        try fixture.record(Sample.recording(batch.id, harmless, Sample.run(range, .failed)))
                    }
                }
                try expectEqual(try fixture.store.batch(batch.id), before)
                try expectEqual(try fixture.store.results(of: batch.id, from: 0, maximumBytes: .max).joined.count, 2)
                try fixture.reopen()
            }
            // The neighbours of what is recorded are free.
            try fixture.record(Sample.recording(batch.id, Sample.run(31..<100), Sample.run(0..<20)))
            try expectEqual(try fixture.store.batch(batch.id)?.phase, .completed)
        },
        Behaviour("a second outcome is refused right after the first") { fixture in
            for range in [0..<5, 4..<5, 3..<8, 2..<3, 0..<1, 0..<10] {
                let batch = Sample.batch(10)
                try fixture.submit(batch)
                try fixture.record(Sample.recording(batch.id, Sample.run(0..<5)))
                try expectConflict { try fixture.record(Sample.recording(batch.id, Sample.run(range, .failed))) }
                try expectEqual(try fixture.store.batch(batch.id)?.counts, OutcomeCounts(succeeded: 5))
            }
        },
        Behaviour("a call whose recordings contradict each other is refused as a whole") { fixture in
            let (batch, other) = (Sample.batch(10), Sample.batch(10))
            let record = try fixture.submit(batch)
            let otherRecord = try fixture.submit(other)
            try expectConflict {
                try fixture.record(
                    Sample.recording(other.id, Sample.run(0..<10)), Sample.recording(batch.id, Sample.run(0..<6)),
                    Sample.recording(batch.id, Sample.run(5..<10)))
            }
            try expectEqual(try fixture.store.batch(batch.id), record)
            try expectEqual(try fixture.store.batch(other.id), otherRecord)
            try expectEqual(fixture.log.finished, [])
        },
        Behaviour("a refused recording does not touch those that share its commit") { fixture in
            let batches = (0..<30).map { _ in Sample.batch(2) }
            for batch in batches { try fixture.submit(batch) }
            let answers = batches.enumerated().flatMap { index, batch in
                (0..<2).map { job in
                    let answer = Awaited<Void>()
                    // In one batch both recordings are of the same job.
                    let first = index == 15 ? 0 : job
                    fixture.store.record(
                        [Sample.recording(batch.id, Sample.run(first..<first + 1))], completion: answer.completion)
                    return answer
                }
            }
            for (index, answer) in answers.enumerated() where index != 31 { try answer.get() }
            try expectConflict { try answers[31].get() }
            for (index, batch) in batches.enumerated() {
                try expectEqual(try fixture.store.batch(batch.id)?.counts.succeeded, index == 15 ? 1 : 2)
            }
            try expectEqual(fixture.log.finished.count, 29)
        },
        Behaviour("outcomes outside of a batch are refused") { fixture in
            let batch = Sample.batch(10)
            try fixture.submit(batch)
            try fixture.submit(Sample.batch(10))
            for (first, count) in [(-1, 1), (10, 1), (9, 2), (0, 11), (0, 0), (3, -1), (Int.max, 1), (5, Int.max)] {
                let run = OutcomeRun(first: first, count: count, outcome: .succeeded, body: [])
                try expectConflict { try fixture.record(Sample.recording(batch.id, run)) }
            }
            try expectEqual(try fixture.store.batch(batch.id)?.counts.finished, 0)
        },
        Behaviour("a finished or unknown batch takes no recording") { fixture in
            let batch = Sample.batch(1)
            try fixture.submit(batch)
            try fixture.record(Sample.recording(batch.id, Sample.run(0..<1)))
            let record = try fixture.store.batch(batch.id)
            try expectConflict { try fixture.record(Sample.recording(batch.id, Sample.run(0..<1))) }
            try expectConflict { try fixture.record(Sample.recording(Sample.batchID(), Sample.run(0..<1))) }
            try expectEqual(try fixture.store.batch(batch.id), record)
        },
        Behaviour("a batch goes on after a restart") { fixture in
            let batch = Sample.batch(6)
            try fixture.submit(batch)
            for index in 0..<5 {
                try fixture.record(Sample.recording(batch.id, Sample.run(index..<index + 1), at: Double(index)))
                try fixture.reopen()
                try expectEqual(try fixture.store.batch(batch.id)?.counts.succeeded, index + 1)
            }
            try fixture.record(Sample.recording(batch.id, Sample.run(5..<6), at: 9))
            let record = try unwrap(try fixture.store.batch(batch.id))
            try expectEqual(record.phase, .completed)
            try expectEqual(record.startedAt, Sample.time(0))
            try expectEqual(record.finishedAt, Sample.time(9))
            try fixture.reopen()
            try expectEqual(try fixture.store.batch(batch.id), record)
        },
    ]
}
