import HTTPAPI
import JobModel
import JobStore
import Platform
import Testing

struct QueuesTests {
    private func names(_ reply: Reply) -> [String] {
        (reply.object["queues"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
    }

    // MARK: Batches

    @Test func `a batch says which queue it is in`() throws {
        try withService { service in
            let named = try service.post("/v1/batches", #"{"handler":"square","queue":"mail","jobs":[1]}"#)
            #expect(named.object["queue"] as? String == "mail")
            let usual = try service.post("/v1/batches", #"{"handler":"square","jobs":[1]}"#)
            #expect(usual.object["queue"] as? String == "default")
            let job = try service.post("/v1/jobs", #"{"handler":"square","queue":"mail","payload":1}"#)
            #expect(job.object["queue"] as? String == "mail")
            let map = try service.post("/v1/map/square?queue=maps&wait=0", "[1]")
            #expect(map.status == 202)
            #expect(map.object["queue"] as? String == "maps")
            let id = try #require(job.object["id"] as? String)
            #expect(try service.get("/v1/jobs/\(id)").object["queue"] as? String == "mail")
        }
    }

    @Test func `a handler may have a queue of its own`() throws {
        try withService({ configuration in
            configuration.handlers = {
                [HandlerDescription(HandlerProfile(name: "square"), runtime: "swift", queue: "its-own")]
            }
        }) { service in
            let own = try service.post("/v1/batches", #"{"handler":"square","jobs":[1]}"#)
            #expect(own.object["queue"] as? String == "its-own")
            let other = try service.post("/v1/batches", #"{"handler":"square","queue":"default","jobs":[1]}"#)
            #expect(other.object["queue"] as? String == "default")
            let map = try service.post("/v1/map/square?wait=0", "[1]")
            #expect(map.object["queue"] as? String == "its-own")
            let handlers = try #require(try service.get("/v1/handlers").object["handlers"] as? [[String: Any]])
            #expect(handlers[0]["queue"] as? String == "its-own")
        }
    }

    @Test(arguments: ["\"\"", "\".x\"", "\"a b\"", "\"a/b\"", "7", "null", "\"\(String(repeating: "x", count: 65))\""])
    func `what is no name is refused`(name: String) throws {
        try withService { service in
            let reply = try service.post("/v1/batches", "{\"handler\":\"square\",\"queue\":\(name),\"jobs\":[1]}")
            #expect(reply.status == 422)
            #expect(reply.places == ["/queue"])
        }
    }

    @Test func `batches are listed by queue`() throws {
        try withService { service in
            _ = try service.submitted(1)
            let reply = try service.post("/v1/batches", #"{"handler":"square","queue":"mail","jobs":[1]}"#)
            let list = try service.get("/v1/batches?queue=mail")
            let batches = try #require(list.object["batches"] as? [[String: Any]])
            #expect(batches.compactMap { $0["id"] as? String } == [reply.object["id"] as? String])
            #expect(try service.get("/v1/batches?queue=a%20b").status == 400)
            let page = try service.get("/v1/batches?queue=default&limit=1")
            #expect(page.status == 200)
        }
    }

    @Test func `who waits for a batch that does not start is told where it is`() throws {
        try withService { service in
            let reply = try service.post(
                "/v1/batches", #"{"handler":"square","queue":"mail","jobs":[1]}"#, [("Prefer", "wait=1")])
            #expect(reply.status == 202)
        }
    }

    // MARK: Queues

    @Test func `a queue is there without anybody's doing`() throws {
        try withService { service in
            let reply = try service.get("/v1/queues/nobody.has-set_it-up")
            #expect(reply.status == 200)
            #expect(
                reply.text == #"{"name":"nobody.has-set_it-up","priority":0,"concurrency":null,"paused":false,"#
                    + #""counts":{"batches":0,"jobs":0,"running":0,"more":false}}"#)
            #expect(names(try service.get("/v1/queues")) == ["default"])
        }
    }

    @Test func `a queue tells what is left to do`() throws {
        try withService { service in
            let id = try service.submitted(3)
            service.live.run([JobID(batch: id, index: 0)])
            _ = try service.post("/v1/batches", #"{"handler":"square","queue":"busy","jobs":[1,2]}"#)
            let counts = try #require(try service.get("/v1/queues/busy").object["counts"] as? [String: Any])
            #expect(counts["batches"] as? Int == 1)
            #expect(counts["jobs"] as? Int == 2)
            #expect(counts["running"] as? Int == 1)
        }
    }

    @Test func `a queue is changed field by field`() throws {
        try withService { service in
            let first = try service.patch("/v1/queues/mail", #"{"paused":true,"concurrency":4,"priority":-9}"#)
            #expect(first.status == 200)
            #expect(first.text.contains(#""priority":-9,"concurrency":4,"paused":true"#))
            let second = try service.patch("/v1/queues/mail", #"{"paused":false}"#)
            #expect(second.text.contains(#""priority":-9,"concurrency":4,"paused":false"#))
            let third = try service.patch("/v1/queues/mail", #"{"concurrency":null}"#)
            #expect(third.text.contains(#""priority":-9,"concurrency":null,"paused":false"#))
            #expect(try service.get("/v1/queues/mail").text == third.text)
        }
    }

    @Test(arguments: [
        (#"{"paused":1}"#, ["/paused"]), (#"{"paused":null}"#, ["/paused"]), (#"{"concurrency":0}"#, ["/concurrency"]),
        (#"{"concurrency":1025}"#, ["/concurrency"]), (#"{"concurrency":"4"}"#, ["/concurrency"]),
        (#"{"priority":101,"color":1}"#, ["/priority", "/color"]), ("{}", [""]), ("[]", [""]),
        (#"{"paused":true,"paused":false}"#, ["/paused"]),
    ])
    func `other changes are refused and change nothing`(body: String, places: [String]) throws {
        try withService { service in
            let reply = try service.patch("/v1/queues/mail", body)
            #expect(reply.status == 422)
            #expect(reply.places == places)
            #expect(names(try service.get("/v1/queues")) == ["default"])
        }
    }

    @Test func `what cannot be a name is not found`() throws {
        try withService { service in
            let blank = try service.get("/v1/queues/a%20b")
            #expect(blank.status == 404)
            #expect(try service.patch("/v1/queues/.hidden", #"{"paused":true}"#).status == 404)
            #expect(try service.get("/v1/queues/a?x=1").status == 400)
            #expect(try service.send("DELETE", "/v1/queues/a", bytes: []).status == 405)
        }
    }

    @Test func `queues are listed page by page`() throws {
        try withService { service in
            for name in ["e", "a", "c"] { _ = try service.patch("/v1/queues/\(name)", #"{"priority":1}"#) }
            let first = try service.get("/v1/queues?limit=2")
            #expect(names(first) == ["a", "c"])
            #expect(first.object["next_cursor"] as? String == "c")
            #expect(first.header("Link") == "</v1/queues?cursor=c&limit=2>; rel=\"next\"")
            let second = try service.get("/v1/queues?cursor=c&limit=2")
            #expect(names(second) == ["default", "e"])
            #expect(second.text.hasSuffix(#""next_cursor":null}"#))
            #expect(try service.get("/v1/queues?limit=0").status == 400)
        }
    }

    @Test func `a change that cannot be stored is a problem`() throws {
        try withService { service in
            service.store.state.withLock { $0.submitError = .full("no room") }
            let reply = try service.patch("/v1/queues/a", #"{"paused":true}"#)
            #expect(reply.status == 507)
        }
    }
}
