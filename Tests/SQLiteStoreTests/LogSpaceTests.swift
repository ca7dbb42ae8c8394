import Foundation
import JobModel
import JobStore
import StoreConformance
import Testing

@testable import SQLiteStore

@Suite struct LogSpaceTests {
    @Test func `zeros behind the frames of a log that was left behind change nothing`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer {
            try? FileManager.default.removeItem(at: folder)
            try? FileManager.default.removeItem(at: copy)
        }
        let store = try SQLiteStore.open(.forTests(folder.path) { $0.logBytes = 0 })
        let batch = NewBatch(
            id: BatchID(ULID(high: 1, low: 0)), handler: "h", options: BatchOptions(),
            createdAt: Timestamp(microseconds: 0),
            segments: [Segment(first: 0, count: 1, input: [UInt8(ascii: "1")])])
        let submitted = Awaited<BatchRecord>()
        store.submit(batch, completion: submitted.completion)
        _ = try submitted.get()
        // What a kill -9 leaves: the log is not moved into the database.
        try FileManager.default.copyItem(at: folder, to: copy)
        try store.close()

        let log = StoreFolder(path: copy.path).log
        let before = try Data(contentsOf: URL(fileURLWithPath: log)).count
        LogSpace.reserve(before + 300_000, at: log)
        #expect(try Data(contentsOf: URL(fileURLWithPath: log)).count == before + 300_000)
        let reopened = try SQLiteStore.open(.forTests(copy.path))
        #expect(try reopened.batch(batch.id)?.total == 1)
        try reopened.close()
    }
}
