import JobModel
import JobStore

extension Behaviour {
    static let lists: [Behaviour] = [
        Behaviour("batches are listed page by page, newest first") { fixture in
            let batches = (0..<7).map { _ in Sample.batch(1) }
            for batch in batches { try fixture.submit(batch) }
            try expectEqual(try pages(fixture, BatchFilter(), limit: 3), batches.reversed().map(\.id))
            try expectEqual(try pages(fixture, BatchFilter(), limit: 7), batches.reversed().map(\.id))
            let page = try fixture.store.batches(BatchFilter(), before: nil, limit: 7)
            try expectEqual(page.next, nil)
            try expectEqual(page.batches.first, try fixture.store.batch(batches[6].id))
        },
        Behaviour("an empty store lists nothing") { fixture in
            let page = try fixture.store.batches(BatchFilter(handler: "h"), before: Sample.batchID(), limit: 5)
            try expectEqual(page.batches, [])
            try expectEqual(page.next, nil)
        },
        Behaviour("a place between two batches works as a cursor") { fixture in
            let older = Sample.batch(1)
            let place = Sample.batchID()
            let newer = Sample.batch(1)
            try fixture.submit(older)
            try fixture.submit(newer)
            let page = try fixture.store.batches(BatchFilter(), before: place, limit: 5)
            try expectEqual(page.batches.map(\.id), [older.id])
            let none = try fixture.store.batches(BatchFilter(), before: older.id, limit: 5)
            try expectEqual(none.batches, [])
            let all = try fixture.store.batches(BatchFilter(), before: Sample.batchID(), limit: 5)
            try expectEqual(all.batches.map(\.id), [newer.id, older.id])
        },
        Behaviour("batches are filtered by handler and phase, alone and together") { fixture in
            var submitted: [NewBatch] = []
            // Two of each combination of handler and phase, in different priorities.
            for index in 0..<16 {
                let batch = Sample.batch(
                    1, handler: index % 2 == 0 ? "a" : "b", options: BatchOptions(priority: index % 3))
                try fixture.submit(batch)
                submitted.append(batch)
                switch index / 2 % 4 {
                case 0: break
                case 1: try fixture.requestCancel(batch.id)
                case 2: try fixture.record(Sample.recording(batch.id, Sample.run(0..<1)))
                default:
                    try fixture.requestCancel(batch.id)
                    try fixture.cancelPending(batch.id, at: Sample.time(1))
                }
            }
            let records = try submitted.reversed().map { try unwrap(try fixture.store.batch($0.id)) }
            let phases: [[BatchRecord.Phase]] = [
                [], [.active], [.cancelling], [.completed], [.cancelled], [.active, .cancelling],
                [.completed, .cancelled], [.active, .completed], [.active, .cancelling, .completed, .cancelled],
            ]
            for handler in [nil, "a", "b", "c"] {
                for phases in phases {
                    let expected = records.filter {
                        (handler == nil || $0.handler == handler) && (phases.isEmpty || phases.contains($0.phase))
                    }
                    let filter = BatchFilter(handler: handler, phases: phases)
                    for limit in [1, 2, 100] {
                        try expectEqual(try pages(fixture, filter, limit: limit), expected.map(\.id))
                    }
                }
            }
        },
    ]
}

/// All pages one after the other.
private func pages(_ fixture: any StoreFixture, _ filter: BatchFilter, limit: Int) throws -> [BatchID] {
    var ids: [BatchID] = []
    var cursor: BatchID?
    repeat {
        let page = try fixture.store.batches(filter, before: cursor, limit: limit)
        try expect(page.batches.count <= limit, "\(page.batches.count) batches on a page of \(limit)")
        try expect(page.next == nil || page.next == page.batches.last?.id, "a cursor that is not the last batch")
        ids += page.batches.map(\.id)
        cursor = page.next
    } while cursor != nil
    return ids
}
