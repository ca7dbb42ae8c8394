import JobModel
import JobStore

extension Behaviour {
    static let queues: [Behaviour] = [
        Behaviour("a batch keeps its queue") { fixture in
            let named = Sample.batch(2, options: BatchOptions(queue: "mail.out"))
            let usual = Sample.batch(2)
            for batch in [named, usual] { try fixture.submit(batch) }
            for _ in 0..<2 {
                try expectEqual(try fixture.store.batch(named.id)?.options.queue, "mail.out")
                try expectEqual(try fixture.store.batch(usual.id)?.options.queue, "default")
                try fixture.reopen()
            }
        },
        Behaviour("unfinished batches are found lane by lane") { fixture in
            var batches: [WorkLane: [BatchID]] = [:]
            for index in 0..<60 {
                let options = BatchOptions(queue: ["a", "b", "default"][index % 3], priority: index % 2)
                let batch = Sample.batch(20, options: options)
                try fixture.submit(batch)
                batches[WorkLane(options), default: []].append(batch.id)
            }
            for _ in 0..<2 {
                try expectEqual(
                    try fixture.store.unfinishedLanes(),
                    [1, 0].flatMap { priority in
                        ["a", "b", "default"].map { WorkLane(queue: $0, priority: priority) }
                    })
                for (lane, ids) in batches {
                    var seen: [BatchID] = []
                    while true {
                        let page = try fixture.store.unfinishedBatches(in: lane, after: seen.last, limit: 3)
                        if page.isEmpty { break }
                        seen += page.map(\.record.id)
                    }
                    try expectEqual(seen, ids)
                }
                try fixture.reopen()
            }
            let done = WorkLane(queue: "b", priority: 1)
            for id in try unwrap(batches[done]) { try fixture.record(Sample.recording(id, Sample.run(0..<20))) }
            try expect(try !fixture.store.unfinishedLanes().contains(done), "a lane stays that is done")
        },
        Behaviour("settings of a queue stay until they are changed") { fixture in
            let expected = QueueSettings(priority: -7, concurrency: 3, isPaused: true)
            let change = QueueChange(priority: -7, concurrency: .atMost(3), isPaused: true)
            try expectEqual(try fixture.changeQueue("q", change), QueueRecord(name: "q", settings: expected))
            for _ in 0..<2 {
                try expectEqual(try fixture.store.queueSettings(), [QueueRecord(name: "q", settings: expected)])
                try expectEqual(try fixture.store.queue("q").record.settings, expected)
                try fixture.reopen()
            }
            let resumed = try fixture.changeQueue("q", QueueChange(isPaused: false))
            try expectEqual(resumed.settings, QueueSettings(priority: -7, concurrency: 3))
            let free = try fixture.changeQueue("q", QueueChange(concurrency: .unlimited))
            try expectEqual(free.settings, QueueSettings(priority: -7))
            try fixture.changeQueue("q", QueueChange(priority: 0))
            try expectEqual(try fixture.store.queueSettings(), [])
            try expectEqual(try fixture.store.queue("q").record.settings, QueueSettings())
        },
        Behaviour("observers hear of queues that change, and only of those") { fixture in
            try fixture.changeQueue("q", QueueChange(concurrency: .atMost(2)))
            try fixture.changeQueue("q", QueueChange(concurrency: .atMost(2)))
            try fixture.changeQueue("p", QueueChange(isPaused: false))
            try fixture.changeQueue("q", QueueChange(isPaused: true))
            try expectEqual(
                fixture.log.queueChanges,
                [QueueSettings(concurrency: 2), QueueSettings(concurrency: 2, isPaused: true)].map {
                    QueueRecord(name: "q", settings: $0)
                })
        },
        Behaviour("queues are listed with what is left to do in them") { fixture in
            try fixture.changeQueue("c", QueueChange(isPaused: true))
            let half = Sample.batch(10, options: BatchOptions(queue: "b"))
            let done = Sample.batch(10, options: BatchOptions(queue: "a"))
            for batch in [half, done, Sample.batch(3, options: BatchOptions(queue: "b", priority: 9))] {
                try fixture.submit(batch)
            }
            try fixture.record(Sample.recording(done.id, Sample.run(0..<10)))
            try fixture.record(Sample.recording(half.id, Sample.run(2..<6), Sample.run(9..<10, .failed)))
            let expected = [
                QueueOverview(record: QueueRecord(name: "b"), backlog: QueueBacklog(batches: 2, jobs: 8)),
                QueueOverview(
                    record: QueueRecord(name: "c", settings: QueueSettings(isPaused: true)), backlog: QueueBacklog()),
                QueueOverview(record: QueueRecord(name: "default"), backlog: QueueBacklog()),
            ]
            for _ in 0..<2 {
                try expectEqual(try fixture.store.queues(after: nil, limit: 10), expected)
                try expectEqual(try fixture.store.queues(after: nil, limit: 2), Array(expected[..<2]))
                try expectEqual(try fixture.store.queues(after: "b", limit: 10), Array(expected[1...]))
                try expectEqual(try fixture.store.queue("b"), expected[0])
                try fixture.reopen()
            }
        },
        Behaviour("counting a long queue comes to an end") { fixture in
            let batches = QueueBacklog.maximumCounted + 1
            let answers = (0..<batches).map { _ in
                let answer = Awaited<BatchRecord>()
                fixture.store.submit(
                    Sample.batch(1, options: BatchOptions(queue: "long")), completion: answer.completion)
                return answer
            }
            for answer in answers { _ = try answer.get() }
            try expectEqual(
                try fixture.store.queue("long").backlog,
                QueueBacklog(batches: batches - 1, jobs: batches - 1, hasMore: true))
        },
        Behaviour("batches are filtered by queue, alone and with others") { fixture in
            var submitted: [NewBatch] = []
            for index in 0..<24 {
                let options = BatchOptions(queue: ["a", "b", "default"][index % 3])
                let batch = Sample.batch(100, handler: index % 2 == 0 ? "x" : "y", options: options)
                try fixture.submit(batch)
                if index % 4 == 0 { try fixture.record(Sample.recording(batch.id, Sample.run(0..<100))) }
                submitted.append(batch)
            }
            let records = try submitted.reversed().map { try unwrap(try fixture.store.batch($0.id)) }
            for queue in ["a", "b", "default", "none"] {
                for (handler, phases) in [(nil, []), ("x", []), (nil, [.active]), ("x", [.completed])]
                    as [(String?, [BatchRecord.Phase])]
                {
                    let filter = BatchFilter(handler: handler, queue: queue, phases: phases)
                    let expected = records.filter { record in
                        record.options.queue == queue && (handler ?? record.handler) == record.handler
                            && (phases.isEmpty || phases.contains(record.phase))
                    }
                    var found: [BatchID] = []
                    var cursor: BatchID?
                    repeat {
                        let page = try fixture.store.batches(filter, before: cursor, limit: 3)
                        found += page.batches.map(\.id)
                        cursor = page.next
                    } while cursor != nil
                    try expectEqual(found, expected.map(\.id))
                }
            }
        },
        Behaviour("names of queues are taken until 4,096 are in use") { fixture in
            let most = 4096
            func batch(_ queue: String) -> NewBatch { Sample.batch(1, options: BatchOptions(queue: queue)) }
            func isRefused(_ body: () throws -> Void) throws -> Bool {
                do {
                    try body()
                    return false
                } catch StoreError.crowded { return true }
            }
            var batches = (0..<most).map { batch("q\($0)") }
            try fixture.submit(batches)
            for _ in 0..<2 {
                try expect(try isRefused { try fixture.submit(batch("new")) }, "one too many")
                try fixture.submit(batch("q7"))
                try fixture.reopen()
            }
            for done in [batches.removeLast(), batches.removeFirst()] {
                try fixture.record(Sample.recording(done.id, Sample.run(0..<1)))
            }
            try fixture.submit(batch("new"))
            try fixture.submit(batch("newer"))
            try expect(try isRefused { try fixture.submit(batch("newest")) }, "the places are taken again")
            try fixture.changeQueues((0..<most).map { "s\($0)" }, QueueChange(priority: 1))
            let change = QueueChange(priority: 1)
            try expect(try isRefused { try fixture.changeQueue("t", change) }, "settings, one too many")
            try fixture.changeQueue("s8", QueueChange(priority: 0))
            try fixture.changeQueue("t", change)
        },
    ]
}
