import HTTPAPI
import Testing

/// Everything that must be refused, where it is said to be wrong, and that nothing of it is stored.
struct BadInputTests {
    @Test func compressedBodiesAreRefused() throws {
        try withService { service in
            let body = "{\"handler\":\"square\",\"payload\":1}"
            for coding in ["gzip", "br", "identity, gzip", "GZIP"] {
                let reply = try service.post("/v1/jobs", body, [("Content-Encoding", coding)])
                #expect(reply.status == 415, Comment(rawValue: coding))
                #expect(reply.header("Accept-Encoding") == "identity")
                #expect((reply.object["detail"] as? String)?.contains("'\(coding)'") == true)
            }
            for coding in ["identity", "Identity", " ", "identity, identity"] {
                #expect(
                    try service.post("/v1/jobs", body, [("Content-Encoding", coding)]).status == 202,
                    Comment(rawValue: coding))
            }
        }
    }

    struct Case {
        var body: String
        var status: Int
        /// Of the errors, in their order.
        var places: [String]

        init(_ body: String, _ status: Int, _ places: String...) {
            self.body = body
            self.status = status
            self.places = places
        }
    }

    static let long = String(repeating: "x", count: 1 << 20)
    static let deep = String(repeating: "[", count: 511) + String(repeating: "]", count: 511)

    static let batches = [
        // Not JSON.
        Case("", 400, ""),
        Case("{", 400, ""),
        Case("{\"handler\":\"square\",\"jobs\":[1,2,}", 400, "/jobs/2"),
        Case("{\"handler\":\"square\",\"jobs\":[1]} x", 400, ""),
        Case("{\"handler\":\"square\",\"jobs\":[1,{\"a\":nope}]}", 400, "/jobs/1/a"),
        Case("{\"handler\":\"square\",\"jobs\":[1e999]}", 400, "/jobs/0"),
        Case("{\"handler\":\"square\",\"jobs\":[[\(deep)]]}", 400, "/jobs" + String(repeating: "/0", count: 15)),
        Case("{\"handler\":\"square\",\"jobs\":[NaN]}", 400, "/jobs/0"),
        Case("\u{FEFF}{\"handler\":\"square\",\"jobs\":[1]}", 400, ""),
        // Of the wrong form.
        Case("[]", 422, ""),
        Case("null", 422, ""),
        Case("{}", 422, "/handler", "/jobs"),
        Case("{\"jobs\":[1]}", 422, "/handler"),
        Case("{\"handler\":\"square\"}", 422, "/jobs"),
        Case("{\"handler\":\"nobody\",\"jobs\":[1]}", 422, "/handler"),
        Case("{\"handler\":7,\"jobs\":[1]}", 422, "/handler"),
        Case("{\"handler\":\"square\",\"jobs\":[]}", 422, "/jobs"),
        Case("{\"handler\":\"square\",\"jobs\":{}}", 422, "/jobs"),
        Case("{\"handler\":\"square\",\"jobs\":[1,2,3,4,5,6,7,8,9,10,11]}", 422, "/jobs"),
        Case("{\"handler\":\"square\",\"jobs\":[1,\"\(long)\",2,\"\(long)\"]}", 422, "/jobs/1", "/jobs/3"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"colour\":1}", 422, "/colour"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"a/b~c\":1}", 422, "/a~1b~0c"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"jobs\":[2]}", 422, "/jobs"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"payload\":2}", 422, "/payload"),
        // Options.
        Case("{\"handler\":\"square\",\"jobs\":[1],\"timeout\":-1}", 422, "/timeout"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"timeout\":0}", 422, "/timeout"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"timeout\":604801}", 422, "/timeout"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"timeout\":\"5\"}", 422, "/timeout"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"priority\":101}", 422, "/priority"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"priority\":1.5}", 422, "/priority"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"priority\":null}", 422, "/priority"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"chunk_size\":0}", 422, "/chunk_size"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"chunk_size\":\"big\"}", 422, "/chunk_size"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"chunk_size\":1e300}", 422, "/chunk_size"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"max_attempts\":0}", 422, "/max_attempts"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"max_attempts\":101}", 422, "/max_attempts"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"backoff\":5}", 422, "/backoff"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"backoff\":{\"initial\":10,\"max\":1}}", 422, "/backoff/initial"),
        Case(
            "{\"handler\":\"square\",\"jobs\":[1],\"backoff\":{\"initial\":-1,\"factor\":0,\"max\":true,\"jitter\":2,\"x\":1}}",
            422, "/backoff/initial", "/backoff/factor", "/backoff/max", "/backoff/jitter", "/backoff/x"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"callback\":\"http://a\"}", 422, "/callback"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"callback\":{}}", 422, "/callback/url"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"callback\":{\"url\":\"ftp://a\"}}", 422, "/callback/url"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"callback\":{\"url\":7}}", 422, "/callback/url"),
        Case(
            "{\"handler\":\"square\",\"jobs\":[1],\"callback\":{\"url\":\"http://a/\(long)\"}}", 422, "/callback/url"),
        Case(
            "{\"handler\":\"square\",\"jobs\":[1],\"callback\":{\"url\":\"http://a\",\"events\":[]}}", 422,
            "/callback/events"),
        Case(
            "{\"handler\":\"square\",\"jobs\":[1],\"callback\":{\"url\":\"http://a\",\"events\":[\"batch.completed\",\"x\"]}}",
            422, "/callback/events/1"),
        Case(
            "{\"handler\":\"square\",\"jobs\":[1],\"callback\":{\"url\":\"http://a\",\"secret\":\"whsec_c2hvcnQ=\"}}",
            422, "/callback/secret"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"metadata\":[1]}", 422, "/metadata"),
        Case("{\"handler\":\"square\",\"jobs\":[1],\"metadata\":{\"a\":\"\(long)\"}}", 422, "/metadata"),
        Case("{\"handler\":7,\"jobs\":[],\"timeout\":-1}", 422, "/handler", "/jobs", "/timeout"),
    ]

    @Test func badBatchesAreRefusedByName() throws {
        try withService({ $0.limits.maximumJobs = 10 }) { service in
            for bad in BadInputTests.batches {
                let reply = try service.post("/v1/batches", bad.body)
                let name = Comment(rawValue: String(bad.body.prefix(120)) + " -> " + String(reply.text.prefix(500)))
                #expect(reply.status == bad.status, name)
                #expect(reply.header("Content-Type") == "application/problem+json", name)
                #expect(reply.object["status"] as? Int == bad.status, name)
                #expect(reply.places == bad.places, name)
            }
            #expect(service.store.batches.isEmpty)
        }
    }

    static let jobs = [
        Case("{\"handler\":\"square\"}", 422, "/payload"),
        Case("{\"handler\":\"square\",\"payload\":\"\(long)\"}", 422, "/payload"),
        Case("{\"handler\":\"nobody\",\"payload\":1}", 422, "/handler"),
        Case("{\"handler\":\"square\",\"payload\":1,\"jobs\":[1]}", 422, "/jobs"),
        Case("{\"handler\":\"square\",\"payload\":1,\"payload\":2}", 422, "/payload"),
        Case("{\"handler\":\"square\",\"payload\":01}", 400, "/payload"),
    ]

    @Test func badJobsAreRefusedByName() throws {
        try withService { service in
            for bad in BadInputTests.jobs {
                let reply = try service.post("/v1/jobs", bad.body)
                let name = Comment(rawValue: String(bad.body.prefix(120)))
                #expect(reply.status == bad.status, name)
                #expect(reply.places == bad.places, name)
            }
            #expect(service.store.batches.isEmpty)
        }
    }

    @Test func badMapsAreRefusedByName() throws {
        let cases = [
            ("/v1/map/square", "{}", 422, [""]), ("/v1/map/square", "[]", 422, [""]),
            ("/v1/map/square", "[1,\"\(BadInputTests.long)\"]", 422, ["/1"]),
            ("/v1/map/square", "[1,", 400, ["/1"]),
            ("/v1/map/square?timeout=0", "[1]", 400, ["timeout"]),
            ("/v1/map/square?timeout=nan", "[1]", 400, ["timeout"]),
            (
                "/v1/map/square?chunk_size=x&max_attempts=-1&priority=1000&wait=-1", "[1]", 400,
                ["wait", "priority", "max_attempts", "chunk_size"]
            ),
            ("/v1/map/square?wait=99999999999999999999", "[1]", 400, ["wait"]),
            ("/v1/map/square?colour=1", "[1]", 400, ["colour"]),
            ("/v1/map/square?wait=1&wait=2", "[1]", 400, ["wait"]),
            ("/v1/map/nobody", "[1]", 404, []),
        ]
        try withService { service in
            for (target, body, status, places) in cases {
                let reply = try service.post(target, body)
                #expect(reply.status == status, Comment(rawValue: target + reply.text.prefix(300)))
                #expect(reply.places == places, Comment(rawValue: target))
            }
            #expect(service.store.batches.isEmpty)
        }
    }

    @Test func invalidUTF8IsRefusedWithItsPlace() throws {
        try withService { service in
            let bytes = Array("{\"handler\":\"square\",\"jobs\":[1,\"".utf8) + [0xC3, 0x28] + Array("\"]}".utf8)
            let reply = try service.post("/v1/batches", bytes: bytes)
            #expect(reply.status == 400)
            #expect(reply.object["type"] as? String == "/problems/invalid-json")
            #expect(reply.places == ["/jobs/1"])
            let offset = try #require(reply.object["offset"] as? Int)
            #expect((30...33).contains(offset))
            #expect(service.store.batches.isEmpty)
        }
    }

    @Test func aHostileObjectGetsNoMoreErrorsThanHelp() throws {
        try withService { service in
            let fields = (0..<5000).map { "\"k\($0)\":0" }.joined(separator: ",")
            let reply = try service.post("/v1/batches", "{\(fields)}")
            #expect(reply.status == 422)
            #expect(reply.places.count == 100)
            let events = String(repeating: "1,", count: 100_000) + "1"
            let body =
                "{\"handler\":\"square\",\"jobs\":[1],\"callback\":{\"url\":\"http://a\",\"events\":[\(events)]}}"
            #expect(try service.post("/v1/batches", body).places.count == 100)
        }
    }

    @Test func theProblemListsTheHandlersThatThereAre() throws {
        try withService { service in
            let reply = try service.post("/v1/batches", "{\"handler\":\"nobody\",\"jobs\":[1]}")
            #expect(reply.object["type"] as? String == "/problems/unknown-handler")
            #expect(reply.object["handlers"] as? [String] == ["echo", "square"])
            let map = try service.post("/v1/map/nobody", "[1]")
            #expect(map.object["type"] as? String == "/problems/unknown-handler")
            #expect(map.object["handlers"] as? [String] == ["echo", "square"])
        }
    }

    @Test func badQueriesNameTheParameter() throws {
        try withService { service in
            let id = try service.submitted()
            let cases = [
                ("/v1/batches?limit=0", "limit"), ("/v1/batches?limit=1001", "limit"), ("/v1/batches?limit=", "limit"),
                ("/v1/batches?limit=9223372036854775808", "limit"), ("/v1/batches?cursor=x", "cursor"),
                ("/v1/batches?cursor=%C3%BC", "cursor"), ("/v1/batches?status=expired", "status"),
                ("/v1/batches?handler=a&handler=b", "handler"), ("/v1/batches?page=2", "page"),
                ("/v1/batches/\(id)?verbose=1", "verbose"), ("/v1/batches/\(id)/results?view=all", "view"),
                ("/v1/batches/\(id)/results?cursor=-1", "cursor"), ("/v1/batches/\(id)/results?cursor=+1", "cursor"),
                ("/v1/batches/\(id)/results?cursor=99999999999999999999", "cursor"),
                ("/v1/batches/\(id)/results?limit=all", "limit"), ("/v1/jobs/\(id)?x", "x"), ("/v1/handlers?x=1", "x"),
            ]
            for (target, name) in cases {
                let reply = try service.get(target)
                #expect(reply.status == 400, Comment(rawValue: target))
                #expect(reply.places.first == name, Comment(rawValue: target))
            }
        }
    }

    @Test func bodiesAreRefusedByTheirHeads() throws {
        try withService({ $0.limits.maximumBodyBytes = 100 }) { service in
            let large = try service.post("/v1/batches", String(repeating: " ", count: 101))
            #expect(large.status == 413)
            #expect(large.object["limit"] as? Int == 100)

            let unannounced = try service.connection()
            let chunk = "65\r\n\(String(repeating: " ", count: 0x65))\r\n0\r\n\r\n"
            try unannounced.send(
                Array("POST /v1/batches HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)".utf8))
            let refusal = try unannounced.reply()
            #expect(refusal.status == 413)
            #expect(refusal.object["type"] as? String == "/problems/body-too-large")

            let connection = try service.connection()
            try connection.send(
                "POST", "/v1/batches", [("Content-Type", "application/x-www-form-urlencoded")], body: [0x7B, 0x7D])
            let form = try connection.reply()
            #expect(form.status == 415)
            #expect((form.object["detail"] as? String)?.contains("-H 'Content-Type: application/json'") == true)

            let body = "{\"handler\":\"square\",\"jobs\":[1]}"
            for type in ["text/json", "application/vnd.acme+json; charset=utf-8", "Application/JSON"] {
                let connection = try service.connection()
                try connection.send("POST", "/v1/batches", [("Content-Type", type)], body: Array(body.utf8))
                #expect(try connection.reply().status == 202, Comment(rawValue: type))
            }
            let untyped = try service.connection()
            try untyped.send("POST", "/v1/batches", body: Array(body.utf8))
            #expect(try untyped.reply().status == 202)
            #expect(service.store.batches.count == 4)
        }
    }
}
