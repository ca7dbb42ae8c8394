import JobModel
import JobStore

extension Behaviour {
    static let manyBatches: [Behaviour] = [
        Behaviour("many batches of all kinds, in any order, are listed as they are") { fixture in
            var model = StoreModel()
            for round in 0..<6 {
                for _ in 0..<60 { try model.step(fixture) }
                try model.compare(with: fixture)
                if round % 2 == 0 { try fixture.reopen() }
            }
            try model.finishAll(fixture)
            try model.compare(with: fixture)
            try fixture.reopen()
            try model.compare(with: fixture)
        }
    ]
}

/// What the lists of a store must show.
private struct StoreModel {
    private struct Entry {
        var id: BatchID
        var handler: String
        var lane: WorkLane
        var total: Int
        var phase = BatchRecord.Phase.active

        var isUnfinished: Bool { phase == .active || phase == .cancelling }
    }

    /// In the order of submission.
    private var entries: [Entry] = []

    mutating func step(_ fixture: any StoreFixture) throws {
        let unfinished = entries.indices.filter { entries[$0].isUnfinished }
        guard let index = unfinished.randomElement(), Int.random(in: 0..<3) > 0 else { return try submit(fixture) }
        switch Int.random(in: 0..<10) {
        case 0:
            try fixture.requestCancel(entries[index].id)
            entries[index].phase = .cancelling
        case 1:
            // A refusal rolls back what shares its commit.
            let id = entries[index].id
            let total = entries[index].total
            try expectConflict {
                try fixture.record(Sample.recording(id, Sample.run(0..<total), Sample.run(0..<1)))
            }
        default:
            try finish(index, fixture)
        }
    }

    mutating func finishAll(_ fixture: any StoreFixture) throws {
        for index in entries.indices.shuffled() where entries[index].isUnfinished { try finish(index, fixture) }
    }

    func compare(with fixture: any StoreFixture) throws {
        let unfinished = entries.filter(\.isUnfinished)
        let lanes = Set(unfinished.map(\.lane))
        try expectEqual(Set(try fixture.store.unfinishedLanes()), lanes)
        for lane in lanes {
            var seen: [BatchID] = []
            while true {
                let page = try fixture.store.unfinishedBatches(in: lane, after: seen.last, limit: 7)
                if page.isEmpty { break }
                seen += page.map(\.record.id)
            }
            try expectEqual(seen, unfinished.filter { $0.lane == lane }.map(\.id))
        }
        for handler in [nil, "a", "rare"] {
            for phases in [[], [.active, .cancelling], [.cancelled], [.completed]] as [[BatchRecord.Phase]] {
                let expected = entries.reversed().filter {
                    (handler == nil || $0.handler == handler) && (phases.isEmpty || phases.contains($0.phase))
                }
                var seen: [BatchID] = []
                var cursor: BatchID?
                repeat {
                    let filter = BatchFilter(handler: handler, phases: phases)
                    let page = try fixture.store.batches(filter, before: cursor, limit: 9)
                    seen += page.batches.map(\.id)
                    cursor = page.next
                } while cursor != nil
                try expectEqual(seen, expected.map(\.id))
            }
        }
    }

    private mutating func submit(_ fixture: any StoreFixture) throws {
        let handler = Int.random(in: 0..<20) == 0 ? "rare" : "a"
        let priority = Int.random(in: 0..<8) == 0 ? 1 : Int.random(in: -1...0)
        let queue = Int.random(in: 0..<4) == 0 ? "q" : "default"
        let total = Bool.random() ? 1 : Int.random(in: 1...400)
        let batch = Sample.batch(total, handler: handler, options: BatchOptions(queue: queue, priority: priority))
        try fixture.submit(batch)
        entries.append(Entry(id: batch.id, handler: handler, lane: WorkLane(batch.options), total: total))
    }

    private mutating func finish(_ index: Int, _ fixture: any StoreFixture) throws {
        let entry = entries[index]
        if entry.phase == .cancelling {
            try fixture.cancelPending(entry.id, at: Sample.time(1))
            entries[index].phase = .cancelled
        } else {
            try fixture.record(Sample.recording(entry.id, Sample.run(0..<entry.total)))
            entries[index].phase = .completed
        }
    }
}
