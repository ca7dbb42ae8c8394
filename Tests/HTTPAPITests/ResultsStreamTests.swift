import HTTPServer
import JobModel
import JobStore
import Logging
import Platform
import Synchronization
import Testing

@testable import HTTPAPI

struct ResultsStreamTests {
    private let store = MemoryStore()
    private let tasks = TaskThreads(name: "tasks", count: 1)
    private let results = ["a", "b", "c"].map { "\"\(String(repeating: $0, count: 300_000))\"" }

    private func stream() throws -> ResultsStream {
        let record = BatchRecord(
            id: BatchID(ULID(high: 1, low: 1)), handler: "x", options: BatchOptions(), total: results.count,
            createdAt: Timestamp(microseconds: 0))
        let runs = results.enumerated().map { OutcomeRun.succeeded($0, [$1]) }
        store.state.withLock { $0.entries[record.id] = MemoryStore.Entry(record: record, segments: [], runs: runs) }
        var reader = ResultsReader(store, record, .values, ResultsSelection())
        let first = try reader.page()
        try tasks.start()
        return ResultsStream(startingWith: first, reader, tasks: tasks, logger: Logger(label: "test"))
    }

    /// Asks for the next part and waits for it.
    private func next(_ stream: ResultsStream) -> String {
        let part = Monitor<String?>(nil)
        stream.next { delivered in
            let text =
                switch delivered {
                case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
                case .end: "end"
                case .failed: "failed"
                }
            part.withLock {
                #expect($0 == nil, "a part is delivered once")
                $0 = text
            }
            part.notifyAll()
        }
        return part.wait { $0.map { .done($0) } ?? .sleep(until: nil) }
    }

    @Test func thePagesComeInOrderAndThenTheEnd() throws {
        let stream = try stream()
        defer { tasks.stop() }
        #expect(next(stream) == "[\(results[0])")
        #expect(next(stream) == ",\(results[1])")
        #expect(next(stream) == ",\(results[2])]")
        #expect(next(stream) == "end")
    }

    @Test func onePageIsReadAheadAndNoMore() throws {
        let stream = try stream()
        let before = store.state.withLock { $0.reads }
        #expect(next(stream) == "[\(results[0])")
        store.waitForReads(before + 1)
        // Ends what was submitted.
        tasks.stop()
        #expect(store.state.withLock { $0.reads } == before + 1)
        #expect(next(stream) == ",\(results[1])")
    }

    @Test func aFailureComesBehindWhatWasReadBefore() throws {
        let stream = try stream()
        defer { tasks.stop() }
        store.state.withLock { $0.readError = .unusable("no disk") }
        #expect(next(stream) == "[\(results[0])")
        #expect(next(stream) == "failed")
    }

    @Test func nothingComesAfterItWasCancelled() throws {
        let stream = try stream()
        #expect(next(stream) == "[\(results[0])")
        stream.cancel()
        tasks.stop()
        let isDelivered = Mutex(false)
        stream.next { part in isDelivered.withLock { if case .bytes = part { $0 = true } } }
        #expect(!isDelivered.withLock { $0 })
    }
}
