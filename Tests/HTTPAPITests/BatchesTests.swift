import HTTPAPI
import JobModel
import JobStore
import Platform
import Testing

struct BatchesTests {
    @Test func aBatchIsStoredBeforeItIsAnswered() throws {
        try withService { service in
            let body = """
                {"handler": "square", "jobs": [1, [2, 3], {"a": "ü"}], "priority": -5, "chunk_size": 7, "max_attempts": 4,
                 "backoff": {"initial": 0, "factor": 3, "max": 9.5, "jitter": 0}, "timeout": null, "metadata": {"x": [1, 2]},
                 "callback": {"url": "https://example.com/", "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}}
                """
            let reply = try service.post("/v1/batches", body)
            #expect(reply.status == 202)
            let record = try #require(service.store.batches.first)
            #expect(reply.header("Location") == "/v1/batches/\(record.id)")
            #expect(reply.header("Retry-After") == "1")
            #expect(reply.header("Cache-Control") == "no-store")
            #expect(reply.header("X-Content-Type-Options") == "nosniff")
            #expect(reply.header("Preference-Applied") == nil)
            #expect(reply.object["id"] as? String == "\(record.id)")
            #expect(reply.object["status"] as? String == "queued")
            #expect((reply.object["counts"] as? [String: Int])?["pending"] == 3)
            #expect(!reply.text.contains("whsec_"))
            #expect(record.handler == "square")
            #expect(
                record.options
                    == BatchOptions(
                        priority: -5, chunkSize: .exactly(7),
                        retries: RetryPolicy(
                            maximumAttempts: 4, backoff: Backoff(initial: 0, factor: 3, maximum: 9.5, jitter: 0)),
                        timeout: nil,
                        callback: Callback(
                            url: "https://example.com/", secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"),
                        metadata: Array("{\"x\": [1, 2]}".utf8)))
            let segments = try #require(service.store.entry(record.id)).segments
            #expect(segments == [Segment(first: 0, count: 3, input: Array("1, [2, 3], {\"a\": \"ü\"}".utf8))])
        }
    }

    @Test func whatIsNotSaidHasItsDefault() throws {
        try withService { service in
            _ = try service.submitted()
            #expect(service.store.batches.first?.options == BatchOptions(timeout: 60))
        }
    }

    @Test func aHandlerMayHaveDefaultsOfItsOwn() throws {
        let backoff = Backoff(initial: 2, factor: 5, maximum: 60, jitter: 0)
        try withService({ configuration in
            let handler = HandlerDescription(
                HandlerProfile(name: "square"), runtime: "swift", maximumAttempts: 7, backoff: backoff)
            configuration.handlers = { [handler] }
        }) { service in
            _ = try service.submitted()
            #expect(
                service.store.batches.last?.options.retries == RetryPolicy(maximumAttempts: 7, backoff: backoff))
            _ = try service.post(
                "/v1/batches", #"{"max_attempts": 3, "backoff": {"initial": 9}, "handler": "square", "jobs": [1]}"#)
            #expect(
                service.store.batches.contains {
                    $0.options.retries == RetryPolicy(maximumAttempts: 3, backoff: Backoff(initial: 9))
                })
        }
    }

    @Test func aLargeBatchIsCutIntoSegments() throws {
        try withService { service in
            let id = try service.submitted(25_000)
            let segments = try #require(service.store.entry(id)).segments
            #expect(segments.map(\.count) == Array(repeating: 1000, count: 25))
            #expect(segments.map(\.first) == Array(stride(from: 0, to: 25_000, by: 1000)))
            #expect(String(decoding: segments[24].input, as: UTF8.self).hasSuffix(",24999"))
        }
    }

    @Test func waitingEndsWithTheBatch() throws {
        try withService { service in
            service.store.state.withLock { $0.work = squares }
            let reply = try service.post(
                "/v1/batches", "{\"handler\":\"square\",\"jobs\":[1,2]}", [("Prefer", "wait=10")])
            #expect(reply.status == 200)
            #expect(reply.object["status"] as? String == "completed")
            #expect(reply.header("Preference-Applied") == "wait=10")
        }
    }

    @Test func waitingEndsWithTheTime() throws {
        try withService { service in
            let reply = try service.post(
                "/v1/batches", "{\"handler\":\"square\",\"jobs\":[1,2]}", [("Prefer", "wait=1")])
            #expect(reply.status == 202)
            #expect(reply.object["status"] as? String == "queued")
            #expect(reply.header("Preference-Applied") == "wait=1")
        }
    }

    @Test func nothingIsAcceptedBeforeItIsStored() throws {
        try withService { service in
            service.store.hold(true)
            let connection = try service.connection()
            try connection.send(
                "POST", "/v1/batches", [("Prefer", "wait=1")], body: Array("{\"handler\":\"square\",\"jobs\":[1]}".utf8)
            )
            // The time is up when somebody who began to wait later was told so.
            let other = try TestService { _ in }
            defer { other.stop() }
            let id = try other.submitted()
            #expect(try other.get("/v1/batches/\(id)", [("Prefer", "wait=1")]).status == 200)
            #expect(service.store.batches.isEmpty)
            service.store.hold(false)
            let reply = try connection.reply()
            #expect(reply.status == 202)
            #expect(service.store.batches.count == 1)
        }
    }

    @Test func preferencesAreHonoured() throws {
        try withService { service in
            let body = "{\"handler\":\"square\",\"jobs\":[1,2]}"
            let minimal = try service.post("/v1/batches", body, [("Prefer", "return=minimal, respond-async")])
            #expect(minimal.status == 202)
            #expect(minimal.body.isEmpty)
            #expect(minimal.header("Location") != nil)
            #expect(minimal.header("Preference-Applied") == "respond-async, return=minimal")
            let hostile = try service.post("/v1/batches", body, [("Prefer", "wait=-1, wait=1e9, ;;=,\"")])
            #expect(hostile.status == 202)
            #expect(hostile.header("Preference-Applied") == nil)
        }
    }

    @Test func aBatchIsShownAsItStands() throws {
        try withService { service in
            let id = try service.submitted(4)
            service.store.record([.succeeded(0, ["0"])], of: id)
            service.live.run([JobID(batch: id, index: 1), JobID(batch: id, index: 2)])
            let reply = try service.get("/v1/batches/\(id)")
            #expect(reply.status == 200)
            #expect(reply.object["status"] as? String == "running")
            let counts = try #require(reply.object["counts"] as? [String: Int])
            #expect(counts["running"] == 2 && counts["pending"] == 1 && counts["succeeded"] == 1)
        }
    }

    @Test func aLongPollEndsWithTheBatch() throws {
        try withService { service in
            let id = try service.submitted(1)
            let connection = try service.connection()
            try connection.send("GET", "/v1/batches/\(id)", [("Prefer", "wait=15")])
            service.store.record([.succeeded(0, ["0"])], of: id)
            let reply = try connection.reply()
            #expect(reply.status == 200)
            #expect(reply.object["status"] as? String == "completed")
            #expect(
                try service.get("/v1/batches/\(id)", [("Prefer", "wait=15")]).object["status"] as? String == "completed"
            )
        }
    }

    @Test func whoStillWaitsAtTheEndIsAnswered() throws {
        try withService { service in
            let id = try service.submitted(1)
            let connection = try service.connection()
            try connection.send("GET", "/v1/batches/\(id)", [("Prefer", "wait=15")])
            #expect(try service.get("/v1/batches/\(id)").status == 200)
            service.api.stop()
            let reply = try connection.reply()
            #expect(reply.status == 200)
            #expect(reply.object["status"] as? String == "queued")
        }
    }

    @Test func cancellingIsAcceptedOnce() throws {
        try withService { service in
            let id = try service.submitted(2)
            let reply = try service.post("/v1/batches/\(id)/cancel", "")
            #expect(reply.status == 202)
            #expect(reply.header("Location") == "/v1/batches/\(id)")
            #expect(reply.object["status"] as? String == "cancelling")
            service.store.record([.cancelled(0..<2)], of: id)
            let again = try service.post("/v1/batches/\(id)/cancel", "{}")
            #expect(again.status == 200)
            #expect(again.object["status"] as? String == "cancelled")
            #expect(try service.post("/v1/batches/\(id)/cancel", "{\"now\":true}").places == ["/now"])
        }
    }

    @Test func whatIsNotThereIs404() throws {
        try withService { service in
            let id = BatchID(ULID(high: 1, low: 2))
            for target in [
                "/v1/batches/\(id)", "/v1/batches/x", "/v1/batches/\(id)/results", "/v1/batches/\(id)/jobs/0",
                "/v1/batches/\(id)/jobs/x", "/v1/jobs/job_\(id.ulid)_0", "/v1/jobs/%20", "/", "/v1", "/v1/batches/",
                "/v2/batches",
            ] {
                let reply = try service.get(target)
                #expect(reply.status == 404, Comment(rawValue: target))
                #expect(reply.header("Content-Type") == "application/problem+json")
            }
            #expect(try service.post("/v1/batches/\(id)/cancel", "").status == 404)
        }
    }

    @Test func theStoresErrorsAreProblems() throws {
        try withService { service in
            let id = try service.submitted()
            let body = "{\"handler\":\"square\",\"jobs\":[1]}"
            for (error, status) in [
                (StoreError.full("ballast"), 507), (.closed, 503), (.broken("disk"), 503), (.crowded("q"), 503),
            ] {
                service.store.state.withLock { $0.submitError = error }
                for wait in ["wait=0", "wait=5"] {
                    let reply = try service.post("/v1/batches", body, [("Prefer", wait)])
                    #expect(reply.status == status)
                    #expect((reply.header("Retry-After") != nil) == (status == 503))
                }
            }
            service.store.state.withLock { $0.readError = .broken("disk") }
            for target in [
                "/v1/batches", "/v1/batches/\(id)", "/v1/batches/\(id)/results", "/v1/jobs/job_\(id.ulid)_0",
            ] {
                let reply = try service.get(target, [("Prefer", "wait=5")])
                #expect(reply.status == 503, Comment(rawValue: target))
                #expect(!reply.text.contains("disk"))
            }
        }
    }
}
