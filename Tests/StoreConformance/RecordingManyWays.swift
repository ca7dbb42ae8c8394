import JobModel
import JobStore
import Platform
import Synchronization

extension Behaviour {
    static let recordingManyWays: [Behaviour] = [
        Behaviour("threads that submit and record at once lose nothing and do nothing twice") { fixture in
            let batches = Mutex<[BatchID]>([])
            let failures = Mutex<[String]>([])
            let store = fixture.store
            let threads = try (0..<8).map { number in
                try OwnedThread(name: "producer-\(number)") {
                    do {
                        for round in 0..<20 {
                            let batch = Sample.batch(1 + round % 4)
                            let submitted = Awaited<BatchRecord>()
                            store.submit(batch, completion: submitted.completion)
                            _ = try submitted.get()
                            batches.withLock { $0.append(batch.id) }
                            let answers = (0..<batch.total).shuffled().map { index in
                                let answer = Awaited<Void>()
                                store.record(
                                    [Sample.recording(batch.id, Sample.run(index..<index + 1))],
                                    completion: answer.completion)
                                return answer
                            }
                            for answer in answers { try answer.get() }
                        }
                    } catch {
                        failures.withLock { $0.append("\(error)") }
                    }
                }
            }
            for thread in threads { thread.join() }
            try expectEqual(failures.withLock { $0 }, [])
            let submitted = batches.withLock { $0 }
            try expectEqual(submitted.count, 160)
            for id in submitted {
                let record = try unwrap(try fixture.store.batch(id))
                try expectEqual(record.phase, .completed)
                try expectEqual(record.counts.succeeded, record.total)
                let runs = try fixture.store.results(of: id, from: 0, maximumBytes: .max)
                try expectEqual(runs.joined, [Sample.run(0..<record.total)])
            }
            try expectEqual(Set(fixture.log.finished.map(\.id)), Set(submitted))
            try expectEqual(fixture.log.finished.count, submitted.count)
        },
        Behaviour("any order of runs, with restarts, ends in the same results") { fixture in
            for total in [1, 7, 200, 3000] {
                let batch = Sample.batch(total, segment: 256)
                try fixture.submit(batch)
                var model = BatchModel(total: total)
                var pieces = BatchModel.pieces(of: total).shuffled()
                var rounds = 0
                while !pieces.isEmpty {
                    let taken = pieces.suffix(Int.random(in: 1...5))
                    pieces.removeLast(taken.count)
                    try fixture.record(Recording(batch: batch.id, runs: Array(taken), recordedAt: Sample.time(1)))
                    for run in taken { model.take(run) }
                    rounds += 1
                    if rounds % 40 == 0 { try fixture.reopen() }
                    if rounds % 10 == 0 || pieces.isEmpty { try model.compare(with: fixture.store, batch.id) }
                }
            }
        },
    ]
}

/// What a store must hold after some recordings, kept in the plainest way.
private struct BatchModel {
    private var outcomes: [Outcome?]

    init(total: Int) { outcomes = Array(repeating: nil, count: total) }

    /// Cuts a batch into runs of random lengths and outcomes.
    static func pieces(of total: Int) -> [OutcomeRun] {
        var runs: [OutcomeRun] = []
        var first = 0
        while first < total {
            let count = min(total - first, Int.random(in: 1...12))
            runs.append(Sample.run(first..<first + count, Outcome.allCases.randomElement() ?? .succeeded))
            first += count
        }
        return runs
    }

    mutating func take(_ run: OutcomeRun) {
        for index in run.range { outcomes[index] = run.outcome }
    }

    func compare(with store: any JobStoring, _ id: BatchID) throws {
        let record = try unwrap(try store.batch(id))
        for outcome in Outcome.allCases {
            try expectEqual(record.counts[outcome], outcomes.count { $0 == outcome })
        }
        let runs = try store.results(of: id, from: 0, maximumBytes: .max)
        try expectEqual(runs.joined, expectedRuns)
        try expectEqual(
            try store.failedIndices(of: id, limit: .max), outcomes.indices.filter { outcomes[$0] == .failed })
        let unfinished = try store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 100).first {
            $0.record.id == id
        }
        let open = outcomes.indices.filter { outcomes[$0] == nil }
        try expectEqual(unfinished?.remaining.flatMap { Array($0) } ?? [], open)
        try expectEqual(record.isFinished, open.isEmpty)
    }

    private var expectedRuns: [OutcomeRun] {
        outcomes.indices.compactMap { index in outcomes[index].map { Sample.run(index..<index + 1, $0) } }.joined
    }
}
