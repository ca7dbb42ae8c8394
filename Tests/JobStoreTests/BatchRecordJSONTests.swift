import JSONBytes
import JobModel
import JobStore
import Testing

@Suite struct BatchRecordJSONTests {
    private let id = BatchID(ULID(high: 0x0190_0000_0000_0000, low: 1))
    private let noon = Timestamp(microseconds: 1_769_688_000_000_000)

    private func json(_ record: BatchRecord, running: Int = 0) -> String {
        var writer = JSONWriter()
        record.write(to: &writer, running: running)
        return String(decoding: writer.finish().bytes, as: UTF8.self)
    }

    @Test func showsEveryFieldOfAFreshBatch() {
        let record = BatchRecord(id: id, handler: "square", options: BatchOptions(), total: 3, createdAt: noon)
        #expect(
            json(record) == """
                {"id":"\(id)","handler":"square","queue":"default","status":"queued",\
                "counts":{"total":3,"pending":3,"running":0,"succeeded":0,"failed":0,"cancelled":0,"expired":0},\
                "counters":{},"priority":0,"chunk_size":"auto","max_attempts":3,\
                "backoff":{"initial":1.0,"factor":2.0,"max":300.0,"jitter":0.1},"timeout":null,"callback":null,"metadata":null,\
                "shared_bytes":null,"created_at":"2026-01-29T12:00:00.000Z","started_at":null,"finished_at":null}
                """)
    }

    @Test func showsOptionsAndCallbackWithoutItsSecret() {
        let callback = Callback(url: "https://example.org/a\"b", secret: "whsec_c2VjcmV0")
        let options = BatchOptions(
            priority: -7, chunkSize: .exactly(25), retries: RetryPolicy(maximumAttempts: 1), timeout: 2.5,
            callback: callback, metadata: Array(#"{"a": [1]}"#.utf8))
        let record = BatchRecord(
            id: id, handler: "h", options: options, total: 10, counts: OutcomeCounts(succeeded: 4, failed: 1),
            createdAt: noon, startedAt: noon.advanced(bySeconds: 1))
        let text = json(record, running: 2)
        #expect(text.contains(#""status":"running""#))
        #expect(text.contains(#""pending":3,"running":2,"succeeded":4,"failed":1"#))
        #expect(text.contains(#""priority":-7,"chunk_size":25,"max_attempts":1"#))
        let callbackText =
            #""timeout":2.5,"callback":{"url":"https://example.org/a\"b","events":["batch.completed"]},"#
        #expect(text.contains(callbackText))
        #expect(text.contains(#""metadata":{"a": [1]},"#))
        #expect(!text.contains("whsec_"))
    }

    @Test(arguments: [
        (BatchRecord.Phase.active, 0, nil as Int?, BatchStatus.queued),
        (.active, 1, nil, .running),
        (.active, 0, 5, .running),
        (.cancelling, 3, 5, .cancelling),
        (.completed, 0, 5, .completed),
        (.cancelled, 0, 5, .cancelled),
    ])
    func status(phase: BatchRecord.Phase, running: Int, started: Int?, expected: BatchStatus) {
        let record = BatchRecord(
            id: id, handler: "h", options: BatchOptions(), total: 1, phase: phase, createdAt: noon,
            startedAt: started.map { Timestamp(microseconds: Int64($0)) })
        #expect(record.status(running: running) == expected)
    }
}

@Suite struct BatchEventTests {
    @Test func theBodyIsAStandardWebhookAroundTheBatch() throws {
        let id = BatchID(ULID(high: 7, low: 9))
        let time = Timestamp(microseconds: 0)
        let record = BatchRecord(
            id: id, handler: "h", options: BatchOptions(), total: 1, counts: OutcomeCounts(succeeded: 1),
            phase: .completed, createdAt: time, startedAt: time, finishedAt: time)
        let error = Array(#"{"kind":"exit"}"#.utf8)
        let body = try JSON(
            validating: BatchEvent.completedBody(
                for: record, failures: [FailedJob(index: 3, error: error)], at: time))
        let members = body.value.members()
        #expect(members.map(\.key) == ["type", "timestamp", "data"])
        #expect(members[0].value.string() == "batch.completed")
        #expect(members[1].value.string() == "1970-01-01T00:00:00.000Z")
        #expect(members[2].value.members().first { $0.key == "id" }?.value.string() == id.description)
        #expect(members[2].value.members().first { $0.key == "status" }?.value.string() == "completed")
        let failures = members[2].value.members().first { $0.key == "failures" }?.value.elements() ?? []
        #expect(
            failures.map { String(decoding: $0.bytes, as: UTF8.self) } == [
                #"{"id":"job_\#(id.ulid)_3","index":3,"error":{"kind":"exit"}}"#
            ])
    }
}
