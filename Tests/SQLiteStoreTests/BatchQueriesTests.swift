import GRDB
import JobModel
import JobStore
import StoreConformance
import Testing

@testable import SQLiteStore

/// How much of the store a page looks at. What pages say is a part of the conformance.
@Suite struct BatchQueriesTests {
    private func id(_ number: Int) -> BatchID { BatchID(ULID(high: 1, low: UInt64(number))) }

    /// Batches 0 to 11, in priorities 0 to 2 in turn. 1 and 2 are completed, all others are active; 3 is of another handler.
    private func fixture() throws -> SQLiteFixture {
        let fixture = try SQLiteFixture()
        for number in 0..<12 {
            try fixture.submit(
                NewBatch(
                    id: id(number), handler: number == 3 ? "rare" : "h", options: BatchOptions(priority: number % 3),
                    createdAt: Timestamp(microseconds: 0),
                    segments: [Segment(first: 0, count: 1, input: [UInt8(ascii: "1")])]))
        }
        for number in 1...2 {
            let run = OutcomeRun(first: 0, count: 1, outcome: .succeeded, body: [UInt8(ascii: "1")])
            try fixture.record(Recording(batch: id(number), runs: [run], recordedAt: Timestamp(microseconds: 1)))
        }
        return fixture
    }

    /// All pages of a list: the batches of each, and the cursor behind it.
    private func pages(_ filter: BatchFilter, limit: Int = 1, examining bound: Int) throws -> [([Int], Int?)] {
        let fixture = try fixture()
        let reader = try Connections.openReader(StoreFolder(path: fixture.folder.path))
        defer { try? reader.close() }
        var pages: [([Int], Int?)] = []
        var cursor: BatchID?
        repeat {
            let page = try reader.read { db in
                try BatchQueries.page(db, filter, before: cursor, limit: limit, examining: bound)
            }
            pages.append((page.batches.map { Int($0.id.ulid.low) }, page.next.map { Int($0.ulid.low) }))
            cursor = page.next
        } while cursor != nil && pages.count < 20
        return pages
    }

    @Test func aWalkThatFindsNothingGivesUpAndGoesOnWhereItWas() throws {
        let completed = try pages(BatchFilter(phases: [.completed]), limit: 2, examining: 4)
        #expect(completed.map(\.0) == [[], [], [2, 1]])
        #expect(completed.map(\.1) == [8, 4, nil])
        let active = try pages(BatchFilter(handler: "rare", phases: [.active]), limit: 2, examining: 4)
        #expect(active.map(\.0) == [[], [], [3]])
        #expect(active.map(\.1) == [8, 4, nil])
    }

    @Test func aPageIsFullWhateverItPassesBy() throws {
        for limit in [1, 2, 3, 5, 20] {
            let all = try pages(BatchFilter(handler: "h", phases: [.active]), limit: limit, examining: 6)
            #expect(all.flatMap(\.0) == [11, 10, 9, 8, 7, 6, 5, 4, 0])
            #expect(all.allSatisfy { $0.0.count <= limit })
        }
    }

    @Test(arguments: [
        BatchFilter(handler: "rare"), BatchFilter(phases: [.active]), BatchFilter(phases: [.cancelled]),
        BatchFilter(handler: "rare", phases: [.cancelled]), BatchFilter(queue: "rare"),
    ])
    func blocksWithoutWhatIsWantedAreNotLookedAt(filter: BatchFilter) throws {
        let fixture = try SQLiteFixture()
        // Each begins in a block of its own; what is wanted is the oldest.
        for number in 0..<20 {
            try fixture.submit(
                NewBatch(
                    id: id(number), handler: number == 0 ? "rare" : "h",
                    options: BatchOptions(queue: number == 0 ? "rare" : "default"),
                    createdAt: Timestamp(microseconds: 0), segments: [Segment(first: 0, count: 300, input: [49])]))
        }
        let cancelled = filter.phases == [.cancelled]
        if cancelled {
            try fixture.requestCancel(id(0))
            try fixture.cancelPending(id(0), at: Timestamp(microseconds: 1))
        }
        for number in 1..<20 {
            let run = OutcomeRun(first: 0, count: 300, outcome: .succeeded, body: [49])
            try fixture.record(Recording(batch: id(number), runs: [run], recordedAt: Timestamp(microseconds: 1)))
        }
        let reader = try Connections.openReader(StoreFolder(path: fixture.folder.path))
        defer { try? reader.close() }
        let page = try reader.read { db in
            try BatchQueries.page(db, filter, before: nil, limit: 1, examining: 2)
        }
        #expect(page.batches.map(\.id) == [id(0)])
        #expect(page.next == nil)
    }
}
