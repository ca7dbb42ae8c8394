import JobModel
import Platform
import Testing

struct BatchListTests {
    private func ids(_ reply: Reply) -> [String] {
        (reply.object["batches"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
    }

    @Test func pagesFollowEachOtherToTheEnd() throws {
        try withService { service in
            let all = try (0..<7).map { _ in "\(try service.submitted(1))" }
            var seen: [String] = []
            var target: String? = "/v1/batches?limit=3"
            while let next = target {
                let reply = try service.get(next)
                #expect(reply.status == 200)
                seen += ids(reply)
                target = reply.header("Link").map { String($0.dropFirst().prefix { $0 != ">" }) }
                #expect((reply.object["next_cursor"] is String) == (target != nil))
            }
            #expect(seen == all.reversed())
        }
    }

    @Test func filtersHold() throws {
        try withService { service in
            let queued = try service.submitted(1)
            let running = try service.submitted(1)
            let done = try service.submitted(1, handler: "echo")
            service.live.run([JobID(batch: running, index: 0)])
            service.store.record([.succeeded(0, ["0"])], of: done)
            #expect(ids(try service.get("/v1/batches?status=queued")) == ["\(queued)"])
            #expect(ids(try service.get("/v1/batches?status=running")) == ["\(running)"])
            #expect(ids(try service.get("/v1/batches?status=completed&status=queued")) == ["\(done)", "\(queued)"])
            #expect(ids(try service.get("/v1/batches?status=cancelled")) == [])
            #expect(ids(try service.get("/v1/batches?handler=echo")) == ["\(done)"])
            #expect(ids(try service.get("/v1/batches?handler=%C3%BC%26")) == [])
        }
    }

    @Test func aPageOfARareStatusIsFoundBehindMany() throws {
        try withService { service in
            let running = try service.submitted(1)
            for _ in 0..<6 { _ = try service.submitted(1) }
            service.live.run([JobID(batch: running, index: 0)])
            let reply = try service.get("/v1/batches?status=running&limit=1")
            #expect(ids(reply) == ["\(running)"])
            #expect(reply.header("Link") == nil)
        }
    }
}
