import JobModel
import JobStore
import Testing

struct CancelWaitTests {
    @Test func answersAtOnceIfNobodyWaits() throws {
        try withService { service in
            let id = try service.submitted(2)
            service.live.run([JobID(batch: id, index: 0)])
            let reply = try service.post("/v1/batches/\(id)/cancel", "")
            #expect(reply.status == 202)
            #expect(reply.object["status"] as? String == "cancelling")
            #expect((reply.object["counts"] as? [String: Int])?["running"] == 1)
            #expect(reply.header("Location") == "/v1/batches/\(id)")
            #expect(reply.header("Preference-Applied") == nil)
        }
    }

    @Test func waitsUntilWhatRanIsDead() throws {
        try withService { service in
            let id = try service.submitted(2)
            service.live.run([JobID(batch: id, index: 0)])
            let connection = try service.connection()
            try connection.send("POST", "/v1/batches/\(id)/cancel", [("Prefer", "wait=10")], body: [])
            // The request waits for the end of the batch: the store was asked whether it has ended already.
            service.store.waitForReads(1)
            service.live.run([])
            service.store.record([.cancelled(0..<2)], of: id)
            let reply = try connection.reply()
            #expect(reply.status == 200)
            #expect(reply.object["status"] as? String == "cancelled")
            #expect((reply.object["counts"] as? [String: Int])?["running"] == 0)
            #expect((reply.object["counts"] as? [String: Int])?["cancelled"] == 2)
            #expect(reply.header("Preference-Applied") == "wait=10")
        }
    }

    @Test func saysSoWhenTheTimeIsUp() throws {
        try withService { service in
            let id = try service.submitted(2)
            service.live.run([JobID(batch: id, index: 0)])
            let reply = try service.post("/v1/batches/\(id)/cancel", "", [("Prefer", "wait=1")])
            #expect(reply.status == 202)
            #expect(reply.object["status"] as? String == "cancelling")
            #expect((reply.object["counts"] as? [String: Int])?["running"] == 1)
            #expect(reply.header("Retry-After") == "1")
        }
    }
}
