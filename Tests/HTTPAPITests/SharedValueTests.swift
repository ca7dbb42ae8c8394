import HTTPAPI
import JobModel
import JobStore
import Testing

struct SharedValueTests {
    @Test func isStoredWithItsBatch() throws {
        try withService { service in
            let reply = try service.post(
                "/v1/batches", "{\"handler\":\"square\",\"shared\": {\"a\" : [1, 2]} ,\"jobs\":[1]}",
                [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])
            #expect(reply.status == 202)
            #expect(reply.object["shared_bytes"] as? Int == 14)
            let record = try #require(service.store.batches.first)
            #expect(service.store.entry(record.id)?.shared == Array("{\"a\" : [1, 2]}".utf8))
            #expect(record.options.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            #expect(try service.get("/v1/batches/\(record.id)").text == reply.text)
        }
    }

    @Test(arguments: ["null", "0", "\"\"", "false"])
    func mayBeAnything(value: String) throws {
        try withService { service in
            let reply = try service.post("/v1/batches", "{\"handler\":\"square\",\"shared\":\(value),\"jobs\":[1]}")
            #expect(reply.status == 202)
            #expect(reply.object["shared_bytes"] as? Int == (value == "null" ? nil : value.utf8.count))
        }
    }

    @Test func isRefusedIfTooLargeOrForALoneJob() throws {
        try withService({ $0.limits.maximumSharedBytes = 10 }) { service in
            let large = try service.post(
                "/v1/batches", "{\"handler\":\"square\",\"shared\":\"0123456789\",\"jobs\":[1]}")
            #expect(large.status == 422)
            #expect(large.places == ["/shared"])
            let job = try service.post("/v1/jobs", "{\"handler\":\"square\",\"shared\":1,\"payload\":1}")
            #expect(job.status == 422)
            #expect(job.places == ["/shared"])
            #expect(service.store.batches.isEmpty)
        }
    }

    @Test func countersAreShown() throws {
        try withService { service in
            let id = try service.submitted()
            service.store.change(id) { $0.record.counters = ["rows": 7, "bytes": -3] }
            let reply = try service.get("/v1/batches/\(id)")
            #expect(reply.text.contains("\"counters\":{\"bytes\":-3,\"rows\":7}"))
            #expect(reply.object["shared_bytes"] is String == false)
        }
    }
}
