import JobModel
import JobStore

extension Behaviour {
    static let deliveries: [Behaviour] = [
        Behaviour("the end of a batch with a callback puts one event into the outbox") { fixture in
            let callback = Callback(url: "https://example.org/a", secret: "whsec_abc")
            let batch = Sample.batch(2, options: BatchOptions(callback: callback))
            try fixture.submit(batch)
            try fixture.record(Sample.recording(batch.id, Sample.run(0..<1), at: 1))
            try expectEqual(try fixture.store.dueDeliveries(at: Sample.time(100), limit: 10), [])
            try fixture.record(Sample.recording(batch.id, Sample.run(1..<2), at: 2))
            try expectEqual(fixture.log.deliveriesAdded, 1)
            try fixture.reopen()
            let due = try fixture.store.dueDeliveries(at: Sample.time(2), limit: 10)
            let record = try unwrap(try fixture.store.batch(batch.id))
            try expectEqual(due.count, 1)
            let expected = Delivery(
                id: due[0].id, batch: batch.id, event: "batch.completed", url: callback.url, secret: "whsec_abc",
                body: BatchEvent.completedBody(for: record, failures: [], at: Sample.time(2)), dueAt: Sample.time(2),
                createdAt: Sample.time(2))
            try expectEqual(due[0], expected)
            try expectEqual(try fixture.store.dueDeliveries(at: Sample.time(1.9), limit: 10), [])
        },
        Behaviour("the event tells of the first jobs that failed, up to a limit") { fixture in
            let options = BatchOptions(callback: Callback(url: "http://a/"))
            let (some, all, large) = (
                Sample.batch(100, options: options), Sample.batch(2, options: options),
                Sample.batch(3, options: options)
            )
            for batch in [some, all, large] { try fixture.submit(batch) }
            let error = { (index: Int) in Array("{\"kind\":\"exception\",\"message\":\"no \(index)\"}".utf8) }
            let failed = { (range: Range<Int>) in
                OutcomeRun(
                    first: range.lowerBound, count: range.count, outcome: .failed,
                    body: Array(range.map(error).joined(separator: [UInt8(ascii: ",")])))
            }
            try fixture.record(
                Sample.recording(some.id, Sample.run(0..<5), failed(5..<8), Sample.run(8..<50), failed(50..<100), at: 1)
            )
            try fixture.record(Sample.recording(all.id, failed(0..<2), at: 1))
            let long = Array("{\"message\":\"\(String(repeating: "x", count: 60_000))\"}".utf8)
            let longRuns = (0..<3).map { OutcomeRun(first: $0, count: 1, outcome: .failed, body: long) }
            try fixture.record(Recording(batch: large.id, runs: longRuns, recordedAt: Sample.time(1)))

            let due = try fixture.store.dueDeliveries(at: Sample.time(9), limit: 10)
            let expected = [
                some.id: (Array(5..<8) + Array(50..<67)).map { FailedJob(index: $0, error: error($0)) },
                all.id: (0..<2).map { FailedJob(index: $0, error: error($0)) },
                large.id: [FailedJob(index: 0, error: long)],
            ]
            for delivery in due {
                let record = try unwrap(try fixture.store.batch(delivery.batch))
                try expectEqual(
                    delivery.body,
                    BatchEvent.completedBody(
                        for: record, failures: try unwrap(expected[delivery.batch]), at: Sample.time(1)))
            }
            try expectEqual(due.count, 3)
        },
        Behaviour("a cancelled batch is told as well, one without a callback or the event is not") { fixture in
            let told = Sample.batch(3, options: BatchOptions(callback: Callback(url: "http://a/")))
            let others = [
                Sample.batch(3),
                Sample.batch(3, options: BatchOptions(callback: Callback(url: "http://b/", events: []))),
            ]
            for batch in [told] + others {
                try fixture.submit(batch)
                try fixture.requestCancel(batch.id)
                try fixture.cancelPending(batch.id, at: Sample.time(1))
            }
            let due = try fixture.store.dueDeliveries(at: Sample.time(9), limit: 10)
            try expectEqual(due.map(\.batch), [told.id])
        },
        Behaviour("deliveries come in the order in which they are due, and retries move them") { fixture in
            var ids: [DeliveryID] = []
            for number in 0..<4 {
                let batch = Sample.batch(1, options: BatchOptions(callback: Callback(url: "http://h/\(number)")))
                try fixture.submit(batch)
                try fixture.record(Sample.recording(batch.id, Sample.run(0..<1), at: Double(number)))
                let all = try fixture.store.dueDeliveries(at: Sample.time(9), limit: 10)
                ids.append(try unwrap(all.last).id)
            }
            try expectEqual(try due(fixture, 2), Array(ids[...2]))
            try expectEqual(try fixture.store.dueDeliveries(at: Sample.time(9), limit: 2).map(\.id), Array(ids[..<2]))
            try expectEqual(try fixture.store.nextDeliveryTime(after: Sample.time(-1)), Sample.time(0))
            try expectEqual(try fixture.store.nextDeliveryTime(after: Sample.time(1)), Sample.time(2))
            try expectEqual(try fixture.store.nextDeliveryTime(after: Sample.time(3)), nil)

            try fixture.recordDelivery(
                DeliveryAttempt(id: ids[0], result: .retry(at: Sample.time(50)), status: 503, error: "busy"))
            try fixture.recordDelivery(DeliveryAttempt(id: ids[1], result: .delivered, status: 204, error: nil))
            try fixture.recordDelivery(DeliveryAttempt(id: ids[2], result: .failed, status: nil, error: "no route"))
            try fixture.reopen()
            try expectEqual(try due(fixture, 49), [ids[3]])
            try expectEqual(try due(fixture, 50), [ids[3], ids[0]])
            try expectEqual(try fixture.store.nextDeliveryTime(after: Sample.time(3)), Sample.time(50))
            let retried = try unwrap(try fixture.store.dueDeliveries(at: Sample.time(50), limit: 9).last)
            try expectEqual(retried.attempts, 1)
            try expectEqual(retried.lastStatus, 503)
            try expectEqual(retried.lastError, "busy")
            try expectEqual(retried.createdAt, Sample.time(0))
        },
        Behaviour("a try of a delivery that is over or unknown is refused") { fixture in
            let batch = Sample.batch(1, options: BatchOptions(callback: Callback(url: "http://h/")))
            try fixture.submit(batch)
            try fixture.record(Sample.recording(batch.id, Sample.run(0..<1)))
            let id = try unwrap(try fixture.store.dueDeliveries(at: Sample.time(9), limit: 1).first).id
            try fixture.recordDelivery(DeliveryAttempt(id: id, result: .delivered, status: 200, error: nil))
            for id in [id, DeliveryID(Sample.batchID().ulid)] {
                try expectConflict {
                    try fixture.recordDelivery(
                        DeliveryAttempt(id: id, result: .retry(at: Sample.time(1)), status: nil, error: nil))
                }
            }
            try expectEqual(try due(fixture, 99), [])
        },
    ]
}

private func due(_ fixture: any StoreFixture, _ seconds: Double) throws -> [DeliveryID] {
    try fixture.store.dueDeliveries(at: Sample.time(seconds), limit: 100).map(\.id)
}
