import JobModel
import JobStore

// What a batch gives to its jobs, and what jobs say besides their outcome.

extension Behaviour {
    private static func line(_ text: String, _ source: LogLine.Source = .info, at seconds: Double = 1) -> LogLine {
        LogLine(time: Sample.time(seconds), source: source, text: text)
    }

    private static func counters(_ batch: BatchID, _ deltas: CounterDelta..., runs: [OutcomeRun] = []) -> Recording {
        Recording(batch: batch, runs: runs, counters: deltas, recordedAt: Sample.time(1))
    }

    private static func logs(_ batch: BatchID, _ logs: JobLog..., runs: [OutcomeRun] = []) -> Recording {
        Recording(batch: batch, runs: runs, logs: logs, recordedAt: Sample.time(1))
    }

    private static func stored(_ fixture: any StoreFixture, _ batch: BatchID, _ index: Int) throws -> [JobLog] {
        try unwrap(try fixture.store.job(JobID(batch: batch, index: index))).logs
    }

    static let sharedValues: [Behaviour] = [
        Behaviour("a shared value is kept beside its batch") { fixture in
            var (small, large) = (Sample.batch(2), Sample.batch(3000))
            let none = Sample.batch(2)
            small.shared = Array(#" {"a": [1, "ü"]} "#.utf8)
            large.shared = [UInt8](repeating: UInt8(ascii: "7"), count: 1 << 20)
            for batch in [small, none, large] { try fixture.submit(batch) }
            for _ in 0..<2 {
                for batch in [small, none, large] {
                    try expect(try fixture.store.sharedValue(of: batch.id) == batch.shared, "the value differs")
                    try expectEqual(try fixture.store.batch(batch.id)?.sharedBytes, batch.shared?.count)
                }
                try expectEqual(try fixture.store.sharedValue(of: Sample.batchID()), nil)
                let left = try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 3)
                try expectEqual(left.map(\.record.sharedBytes), [small, none, large].map { $0.shared?.count })
                try fixture.reopen()
            }
            try expectEqual(fixture.log.submitted.first?.sharedBytes, small.shared?.count)
        }
    ]

    static let counters: [Behaviour] = [
        Behaviour("counters add up, each batch for itself") { fixture in
            let (batch, other) = (Sample.batch(4), Sample.batch(4))
            for batch in [batch, other] { try fixture.submit(batch) }
            try fixture.record(
                counters(
                    batch.id, CounterDelta(name: "rows", amount: 5), CounterDelta(name: "bad.rows", amount: -1),
                    runs: [Sample.run(0..<1)]),
                counters(other.id, CounterDelta(name: "rows", amount: 100)),
                counters(batch.id, CounterDelta(name: "rows", amount: 2), runs: [Sample.run(1..<2)]))
            try fixture.reopen()
            try fixture.record(
                counters(batch.id, CounterDelta(name: "rows", amount: 10), CounterDelta(name: "zero", amount: 0)))
            let expected: [String: Int64] = ["rows": 17, "bad.rows": -1, "zero": 0]
            try expectEqual(try fixture.store.batch(batch.id)?.counters, expected)
            try expectEqual(try fixture.store.batch(other.id)?.counters, ["rows": 100])
            try expectEqual(
                try fixture.store.batches(BatchFilter(), before: nil, limit: 2).batches.map(\.counters),
                [["rows": 100], expected])
        },
        Behaviour("counters that come with the last outcome are in the record of the end") { fixture in
            let batch = Sample.batch(1)
            try fixture.submit(batch)
            try fixture.record(
                counters(batch.id, CounterDelta(name: "n", amount: 3), runs: [Sample.run(0..<1)]))
            try expectEqual(fixture.log.finished.map(\.counters), [["n": 3]])
            try expectEqual(try fixture.store.batch(batch.id), fixture.log.finished.first)
        },
        Behaviour("counters alone do not start a batch") { fixture in
            let batch = Sample.batch(2)
            try fixture.submit(batch)
            try fixture.record(counters(batch.id, CounterDelta(name: "n", amount: 1)))
            try expectEqual(try fixture.store.batch(batch.id)?.startedAt, nil)
            let left = try unwrap(
                try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 1).first)
            try expectEqual(left.remaining, [0..<2])
            try expectEqual(left.record.counters, ["n": 1])
        },
        Behaviour("counters stop at the largest and the smallest number") { fixture in
            let batch = Sample.batch(1)
            try fixture.submit(batch)
            for _ in 0..<3 {
                try fixture.record(
                    counters(
                        batch.id, CounterDelta(name: "up", amount: .max - 1), CounterDelta(name: "down", amount: .min)))
            }
            try fixture.reopen()
            try expectEqual(try fixture.store.batch(batch.id)?.counters, ["up": .max, "down": .min])
        },
        Behaviour("a batch has a limited number of counters") { fixture in
            let batch = Sample.batch(1)
            try fixture.submit(batch)
            for number in 0..<CounterDelta.namesPerBatch + 5 {
                try fixture.record(counters(batch.id, CounterDelta(name: "n\(number)", amount: 1)))
            }
            try fixture.record(counters(batch.id, CounterDelta(name: "n0", amount: 1)))
            let counters = try unwrap(try fixture.store.batch(batch.id)).counters
            try expectEqual(counters.count, CounterDelta.namesPerBatch)
            try expectEqual(counters["n0"], 2)
        },
        Behaviour("a refused recording adds nothing") { fixture in
            let batch = Sample.batch(2)
            try fixture.submit(batch)
            try fixture.record(counters(batch.id, CounterDelta(name: "n", amount: 1), runs: [Sample.run(0..<1)]))
            try expectConflict {
                try fixture.record(
                    counters(batch.id, CounterDelta(name: "n", amount: 1), runs: [Sample.run(0..<1)]),
                    logs(batch.id, JobLog(index: 1, attempt: 1, lines: [line("a")])))
            }
            try expectEqual(try fixture.store.batch(batch.id)?.counters, ["n": 1])
            try expectEqual(try stored(fixture, batch.id, 1), [])
        },
    ]

    static let logs: [Behaviour] = [
        Behaviour("lines are appended to their job and attempt") { fixture in
            let (batch, other) = (Sample.batch(3), Sample.batch(3))
            for batch in [batch, other] { try fixture.submit(batch) }
            let lines = LogLine.Source.allCases.enumerated().map { line("\($0) \"ü\"\u{0}\n,", $1, at: Double($0)) }
            try fixture.record(
                logs(
                    batch.id, JobLog(index: 1, attempt: 2, lines: Array(lines[0..<2])),
                    JobLog(index: 1, attempt: 1, lines: [lines[5]]), JobLog(index: 2, attempt: 1, lines: [], dropped: 3)
                ))
            try fixture.reopen()
            try fixture.record(
                logs(
                    batch.id, JobLog(index: 1, attempt: 2, lines: Array(lines[2...]), dropped: 4),
                    JobLog(index: 2, attempt: 1, lines: [lines[0]], dropped: 1), runs: [Sample.run(1..<2)]))
            try expectEqual(
                try stored(fixture, batch.id, 1),
                [
                    JobLog(index: 1, attempt: 1, lines: [lines[5]]),
                    JobLog(index: 1, attempt: 2, lines: lines, dropped: 4),
                ])
            try expectEqual(
                try stored(fixture, batch.id, 2), [JobLog(index: 2, attempt: 1, lines: [lines[0]], dropped: 4)])
            try expectEqual(try stored(fixture, batch.id, 0), [])
            try expectEqual(try stored(fixture, other.id, 1), [])
        },
        Behaviour("logs come with the last outcome, and stay") { fixture in
            let batch = Sample.batch(1)
            try fixture.submit(batch)
            let log = JobLog(index: 0, attempt: 1, lines: [line("end")])
            try fixture.record(logs(batch.id, log, runs: [Sample.run(0..<1)]))
            try expectEqual(try stored(fixture, batch.id, 0), [log])
            try expectEqual(try fixture.store.batch(batch.id)?.phase, .completed)
        },
        Behaviour("a job keeps its first lines as far as there is room") { fixture in
            let batch = Sample.batch(2)
            try fixture.submit(batch)
            let half = line(String(repeating: "x", count: JobLog.bytesPerJob / 2))
            let most = line(String(repeating: "x", count: JobLog.bytesPerJob / 2 - 10))
            try fixture.record(logs(batch.id, JobLog(index: 0, attempt: 1, lines: [half, half, line("y")])))
            try fixture.record(logs(batch.id, JobLog(index: 1, attempt: 1, lines: [half])))
            try fixture.record(logs(batch.id, JobLog(index: 1, attempt: 2, lines: [most, line("0123456789a")])))
            // There would be room for this one, but it stands behind a gap.
            try fixture.record(logs(batch.id, JobLog(index: 1, attempt: 2, lines: [line("z")], dropped: 1)))
            try expectEqual(
                try stored(fixture, batch.id, 0), [JobLog(index: 0, attempt: 1, lines: [half, half], dropped: 1)])
            try expectEqual(
                try stored(fixture, batch.id, 1),
                [
                    JobLog(index: 1, attempt: 1, lines: [half]),
                    JobLog(index: 1, attempt: 2, lines: [most], dropped: 3),
                ])
        },
        Behaviour("empty lines take room too") { fixture in
            let batch = Sample.batch(1)
            try fixture.submit(batch)
            let lines = Array(repeating: line(""), count: JobLog.bytesPerJob + 7)
            try fixture.record(logs(batch.id, JobLog(index: 0, attempt: 1, lines: lines)))
            let log = try unwrap(try stored(fixture, batch.id, 0).first)
            try expectEqual(log.lines.count, JobLog.bytesPerJob)
            try expectEqual(log.dropped, 7)
        },
        Behaviour("a batch keeps so much of its jobs' logs, also across a restart") { fixture in
            let batch = Sample.batch(100)
            try fixture.submit(batch)
            let text = line(String(repeating: "x", count: JobLog.bytesPerJob))
            let room = JobLog.bytesPerBatch / JobLog.bytesPerJob
            for index in 0..<room + 2 {
                if index == room / 2 { try fixture.reopen() }
                try fixture.record(logs(batch.id, JobLog(index: index, attempt: 1, lines: [text])))
            }
            for index in [0, room / 2, room - 1] {
                try expectEqual(try stored(fixture, batch.id, index).first?.dropped, 0)
            }
            for index in [room, room + 1] {
                try expectEqual(
                    try stored(fixture, batch.id, index), [JobLog(index: index, attempt: 1, lines: [], dropped: 1)])
            }
        },
        Behaviour("a log of a job that is not there is refused") { fixture in
            let batch = Sample.batch(2)
            try fixture.submit(batch)
            for (index, attempt) in [(2, 1), (-1, 1), (0, 0)] {
                try expectConflict {
                    try fixture.record(logs(batch.id, JobLog(index: index, attempt: attempt, lines: [line("a")])))
                }
            }
        },
    ]
}
