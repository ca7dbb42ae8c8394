import JobModel
import JobStore
import Platform
import Testing

@testable import HTTPAPI

struct ResultsReaderTests {
    private func batch(_ total: Int, _ runs: [OutcomeRun]) -> (MemoryStore, BatchRecord) {
        let store = MemoryStore()
        let record = BatchRecord(
            id: BatchID(ULID(high: 1, low: 1)), handler: "x", options: BatchOptions(), total: total,
            createdAt: Timestamp(microseconds: 0))
        store.state.withLock { $0.entries[record.id] = MemoryStore.Entry(record: record, segments: [], runs: runs) }
        return (store, record)
    }

    private func text(_ reader: ResultsReader) throws -> [String] {
        var reader = reader
        var pages: [String] = []
        while true {
            let page = try reader.page()
            pages.append(String(decoding: page.bytes, as: UTF8.self))
            if page.isLast { return pages }
        }
    }

    @Test func aGapAmongValuesIsAnError() throws {
        let (store, record) = batch(3, [.succeeded(0, ["1"]), .succeeded(2, ["3"])])
        #expect(throws: StoreError.self) { try text(ResultsReader(store, record, .values, ResultsSelection())) }
    }

    @Test func pagesOfValuesMakeOneArray() throws {
        let large = "\"\(String(repeating: "x", count: 300_000))\""
        let (store, record) = batch(3, [.succeeded(0, [large]), .succeeded(1, [large, "2"])])
        let pages = try text(ResultsReader(store, record, .values, ResultsSelection()))
        #expect(pages == ["[\(large)", ",\(large),2]"])
    }

    @Test func aSelectionCutsRuns() throws {
        let (store, record) = batch(6, [.succeeded(0, ["0", "1", "2"]), .cancelled(3..<6)])
        let pages = try text(ResultsReader(store, record, .objects, ResultsSelection(first: 2, limit: 2)))
        let job = "job_\(record.id.ulid)"
        #expect(
            pages.joined()
                == "{\"index\":2,\"id\":\"\(job)_2\",\"status\":\"succeeded\",\"result\":2},"
                + "{\"index\":3,\"id\":\"\(job)_3\",\"status\":\"cancelled\"}")
    }

    @Test func oneRowOfManyCancelledJobsIsWrittenOutInPieces() throws {
        let (store, record) = batch(10_000, [.cancelled(0..<10_000)])
        let pages = try text(ResultsReader(store, record, .lines, ResultsSelection()))
        #expect(pages.allSatisfy { $0.utf8.count < 1 << 20 })
        #expect(pages.count > 1)
        #expect(pages.joined().split(separator: "\n").count == 10_000)
    }
}
