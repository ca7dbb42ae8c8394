import GRDB
import JobModel
import JobStore
import StoreConformance
import Testing

@testable import SQLiteStore

/// The tables of blocks: what they hold, and that it costs nothing for most batches.
@Suite struct BlockTests {
    private let fixture: SQLiteFixture

    init() throws { fixture = try SQLiteFixture() }

    private func id(_ number: Int) -> BatchID { BatchID(ULID(high: 1, low: UInt64(number))) }

    private func submit(
        _ number: Int, jobs: Int = 1, handler: String = "h", queue: String = "default", priority: Int = 0
    )
        throws
    {
        try fixture.submit(
            NewBatch(
                id: id(number), handler: handler, options: BatchOptions(queue: queue, priority: priority),
                createdAt: Timestamp(microseconds: 0), segments: [Segment(first: 0, count: jobs, input: [49])]))
    }

    private func recording(_ number: Int, jobs: Int = 1) -> Recording {
        let run = OutcomeRun(first: 0, count: jobs, outcome: .succeeded, body: [49])
        return Recording(batch: id(number), runs: [run], recordedAt: Timestamp(microseconds: 1))
    }

    /// The rows of a table, as texts such as `h 0`.
    private func rows(_ table: String) throws -> [String] {
        let connection = try Connections.openReader(StoreFolder(path: fixture.folder.path))
        defer { try? connection.close() }
        return try connection.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { row in
                row.databaseValues.map { String.fromDatabaseValue($0) ?? "\($0)" }.joined(separator: " ")
            }.sorted()
        }
    }

    @Test func aBlockHasOneRowForAllOfItsBatches() throws {
        for number in 0..<300 { try submit(number, handler: number % 2 == 0 ? "a" : "b", priority: number % 3) }
        #expect(try rows("handler_blocks") == ["a 0", "a 1", "b 0", "b 1"])
        #expect(
            try rows("unfinished_blocks") == [0, 1, 2].flatMap { ["default \($0) 0", "default \($0) 1"] })
        #expect(try rows("queue_blocks").isEmpty, "the default queue needs none")
        #expect(try rows("cancelled_blocks").isEmpty)
        try fixture.requestCancel(id(7))
        try fixture.cancelPending(id(7), at: Timestamp(microseconds: 1))
        #expect(try rows("cancelled_blocks") == ["0"])
    }

    @Test func aNamedQueueHasRowsOfItsOwn() throws {
        for number in 0..<300 {
            try submit(number, queue: number % 10 == 0 ? "q" : "default")
            try fixture.record(recording(number))
        }
        #expect(try rows("queue_blocks") == ["q 0", "q 1"])
        #expect(try rows("unfinished_blocks") == ["default 0 1", "q 0 1"])
        #expect(try rows("queues").isEmpty)
    }

    @Test func onlyTheLastBlockIsUnfinishedWithoutUnfinishedBatches() throws {
        for number in 0..<4 { try submit(number, jobs: 200, priority: number) }
        // They begin in the blocks 0, 0, 1 and 2.
        #expect(try rows("unfinished_blocks") == ["default 0 0", "default 1 0", "default 2 1", "default 3 2"])
        for number in 0..<4 { try fixture.record(recording(number, jobs: 200)) }
        #expect(try rows("unfinished_blocks") == ["default 3 2"])
        #expect(try fixture.store.unfinishedLanes() == [])
        // The next batch begins in block 3, so nothing of block 2 is unfinished any more.
        try submit(4)
        #expect(try rows("unfinished_blocks") == ["default 0 3"])
    }

    @Test func blocksAreCountedAgainAfterARestartAndAfterARefusal() throws {
        for number in 0..<600 { try submit(number) }
        try fixture.record(recording(0), recording(300), recording(599))
        for number in [1, 301] {
            try fixture.reopen()
            try fixture.record(recording(number))
            #expect(throws: StoreError.self) { try fixture.record(recording(number)) }
            #expect(throws: StoreError.self) { try submit(number) }
        }
        #expect(try rows("unfinished_blocks") == ["default 0 0", "default 0 1", "default 0 2"])
        for number in 2..<256 { try fixture.record(recording(number)) }
        #expect(try rows("unfinished_blocks") == ["default 0 1", "default 0 2"])
        try fixture.reopen()
        for number in 302..<599 { try fixture.record(recording(number)) }
        for number in 256..<299 { try fixture.record(recording(number)) }
        #expect(try rows("unfinished_blocks") == ["default 0 1", "default 0 2"])
        #expect(
            try fixture.store.unfinishedBatches(in: WorkLane(priority: 0), after: nil, limit: 9).map(\.record.id) == [
                id(299)
            ])
        try fixture.record(recording(299))
        #expect(try rows("unfinished_blocks") == ["default 0 2"])
        #expect(try fixture.store.unfinishedLanes() == [])
    }

    @Test func unfinishedBatchesOfManyBlocksComeInOrder() throws {
        for number in 0..<40 { try submit(number, jobs: 100, priority: number % 2) }
        for number in [0, 2, 4, 20] { try fixture.record(recording(number, jobs: 100)) }
        let expected = (0..<40).filter { $0 % 2 == 0 && ![0, 2, 4, 20].contains($0) }.map(id)
        for limit in [1, 3, 40] {
            var seen: [BatchID] = []
            while true {
                let page = try fixture.store.unfinishedBatches(
                    in: WorkLane(priority: 0), after: seen.last, limit: limit)
                if page.isEmpty { break }
                seen += page.map(\.record.id)
            }
            #expect(seen == expected)
        }
    }
}
