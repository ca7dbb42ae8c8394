import GRDB
import Glibc
import JobModel
import JobStore
import Platform
import StoreConformance
import Testing

@testable import SQLiteStore

@Suite struct FullDiskTests {
    private func batch(_ number: UInt64, bytes: Int = 1) -> NewBatch {
        let segment = Segment(first: 0, count: 1, input: [UInt8](repeating: UInt8(ascii: "1"), count: bytes))
        return NewBatch(
            id: BatchID(ULID(high: number, low: 0)), handler: "h", options: BatchOptions(),
            createdAt: Timestamp(microseconds: 0), segments: [segment])
    }

    private func recording(_ number: UInt64) -> Recording {
        Recording(
            batch: BatchID(ULID(high: number, low: 0)),
            runs: [OutcomeRun(first: 0, count: 1, outcome: .succeeded, body: [UInt8(ascii: "1")])],
            recordedAt: Timestamp(microseconds: 1))
    }

    private func expectFull(sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) {
        #expect(sourceLocation: sourceLocation) {
            try body()
        } throws: { error in
            if case StoreError.full? = error as? StoreError { true } else { false }
        }
    }

    @Test func aFullDatabaseRefusesWhatDoesNotFitAndGoesOn() throws {
        let fixture = try SQLiteFixture { $0.maximumDatabaseBytes = 1 << 20 }
        try fixture.submit(batch(1))
        expectFull { try fixture.submit(batch(2, bytes: 2 << 20)) }
        #expect(try fixture.store.batch(batch(2).id) == nil)
        #expect(try fixture.store.batch(batch(1).id)?.phase == .active)
        // What was accepted can be finished, and what fits is taken again.
        try fixture.record(recording(1))
        try fixture.submit(batch(3))
        #expect(try fixture.store.batch(batch(1).id)?.phase == .completed)
        #expect(fixture.log.submitted.map(\.id) == [batch(1).id, batch(3).id])
    }

    @Test func aFullDatabaseGivesItsBallastBackAndTakesItAgainLater() throws {
        let fixture = try SQLiteFixture { $0.maximumDatabaseBytes = 1 << 20 }
        #expect(fixture.folder.names.contains("jobmill.ballast"))
        expectFull { try fixture.submit(batch(1, bytes: 2 << 20)) }
        #expect(!fixture.folder.names.contains("jobmill.ballast"))
        // The next submission looks at the disk again: there is room.
        try fixture.submit(batch(2))
        #expect(fixture.folder.names.contains("jobmill.ballast"))
    }

    @Test func aboveTheWatermarkOnlyNewWorkIsRefused() throws {
        let folder = try TemporaryFolder()
        let first = try SQLiteStore.open(.forTests(folder.path))
        let submitted = Awaited<BatchRecord>()
        first.submit(batch(1), completion: submitted.completion)
        _ = try submitted.get()
        try first.close()

        let second = try SQLiteStore.open(.forTests(folder.path) { $0.minimumFreeBytes = Int.max / 2 })
        #expect(second.shortage() != nil)
        let refused = Awaited<BatchRecord>()
        let recorded = Awaited<Void>()
        second.submit(batch(2), completion: refused.completion)
        second.record([recording(1)], completion: recorded.completion)
        expectFull { _ = try refused.get() }
        try recorded.get()
        #expect(try second.batch(batch(1).id)?.phase == .completed)
        #expect(try second.batch(batch(2).id) == nil)
        try second.close()
    }

    @Test func theDiskIsLookedAtOnceASecondAtMost() throws {
        let folder = try TemporaryFolder()
        var space = DiskSpace(folder: StoreFolder(path: folder.path), minimumFreeBytes: 0, ballastBytes: 4096)
        let start = MonotonicTime.now()
        var refusal = space.refusesNewWork(now: start)
        #expect(refusal == nil)
        // The ballast is gone behind its back: it is noticed and taken again with the next look only.
        #expect(unlink(folder.path + "/jobmill.ballast") == 0)
        refusal = space.refusesNewWork(now: start + .milliseconds(999))
        #expect(refusal == nil)
        #expect(folder.names == [])
        refusal = space.refusesNewWork(now: start + .milliseconds(1000))
        #expect(refusal == nil)
        #expect(folder.names == ["jobmill.ballast"])
    }

    @Test func thereIsBallastOnceAndOnlyIfItIsWanted() throws {
        let folder = try TemporaryFolder()
        var none = DiskSpace(folder: StoreFolder(path: folder.path), minimumFreeBytes: 0, ballastBytes: 0)
        #expect(folder.names == [])
        let thrownWithout = none.throwOffBallast()
        #expect(!thrownWithout)
        var some = DiskSpace(folder: StoreFolder(path: folder.path), minimumFreeBytes: 0, ballastBytes: 10_000)
        #expect(try TestFile.read(folder.path + "/jobmill.ballast").count == 10_000)
        let thrown = [some.throwOffBallast(), some.throwOffBallast()]
        #expect(thrown == [true, false])
        #expect(folder.names == [])
    }

    @Test func aWriteThatAQuotaOrALimitEndsIsALackOfRoom() {
        for code in [ResultCode.SQLITE_IOERR_WRITE, .SQLITE_IOERR_FSYNC, .SQLITE_IOERR_TRUNCATE] {
            for number in [EDQUOT, EFBIG, ENOSPC] { #expect(code.isLackOfRoom(systemError: number)) }
            for number in [EIO, 0] { #expect(!code.isLackOfRoom(systemError: number)) }
        }
        #expect(!ResultCode.SQLITE_IOERR_READ.isLackOfRoom(systemError: EDQUOT))
        #expect(!ResultCode.SQLITE_CONSTRAINT.isLackOfRoom(systemError: ENOSPC))
    }
}
