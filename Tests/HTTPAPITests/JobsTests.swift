import JobModel
import JobStore
import Platform
import Testing

struct JobsTests {
    @Test func aJobIsStoredBeforeItIsAnswered() throws {
        try withService { service in
            let reply = try service.post(
                "/v1/jobs", " {\"handler\":\"square\",\"payload\":{\"n\": 7},\"timeout\":2.5} ")
            #expect(reply.status == 202)
            let record = try #require(service.store.batches.first)
            let id = JobID(batch: record.id, index: 0)
            #expect(record.options == BatchOptions(timeout: 2.5))
            #expect(reply.header("Location") == "/v1/jobs/\(id)")
            #expect(reply.object["id"] as? String == "\(id)")
            #expect(reply.object["batch"] as? String == "\(record.id)")
            #expect(reply.object["status"] as? String == "pending")
            #expect((reply.object["payload"] as? [String: Int]) == ["n": 7])
            // The answer that is made before the commit is the one that is read afterwards.
            #expect(try service.get("/v1/jobs/\(id)").text == reply.text)
        }
    }

    @Test func waitingGivesTheResult() throws {
        try withService { service in
            service.store.state.withLock { $0.work = squares }
            let reply = try service.post("/v1/jobs", "{\"handler\":\"square\",\"payload\":7}", [("Prefer", "wait=10")])
            #expect(reply.status == 200)
            #expect(reply.object["status"] as? String == "succeeded")
            #expect(reply.object["result"] as? Int == 49)
            #expect(reply.object["error"] == nil)
            #expect(reply.header("Preference-Applied") == "wait=10")
        }
    }

    @Test func waitingGivesTheError() throws {
        try withService { service in
            service.store.state.withLock { $0.work = { _ in [.failed(0, "it went wrong")] } }
            let reply = try service.post("/v1/jobs", "{\"handler\":\"square\",\"payload\":7}", [("Prefer", "wait=10")])
            #expect(reply.status == 200)
            #expect(reply.object["status"] as? String == "failed")
            #expect((reply.object["error"] as? [String: Any])?["message"] as? String == "it went wrong")
            #expect(reply.object["result"] == nil)
        }
    }

    @Test func waitingInVainGivesTheJobAsItStands() throws {
        try withService { service in
            let reply = try service.post("/v1/jobs", "{\"handler\":\"square\",\"payload\":7}", [("Prefer", "wait=1")])
            #expect(reply.status == 202)
            #expect(reply.object["status"] as? String == "pending")
            #expect(reply.header("Location") != nil)
        }
    }

    @Test func aJobIsShownWithItsAttempts() throws {
        try withService { service in
            let id = try service.submitted(5)
            let time = Timestamp(microseconds: 1_700_000_000_000_000)
            let death = DeathCertificate(processID: 42, signal: "SIGSEGV", peakResidentBytes: 1 << 20)
            service.store.record(
                [.succeeded(0, ["0", "1", "[4]"])],
                attempts: [
                    AttemptRecord(
                        index: 2, number: 1, failure: Failure(kind: .signal, message: "it died", death: death),
                        startedAt: time, finishedAt: time, retryAt: time)
                ], of: id)
            service.live.run([JobID(batch: id, index: 3)])
            let reply = try service.get("/v1/batches/\(id)/jobs/2")
            #expect(reply.status == 200)
            #expect(reply.object["id"] as? String == "job_\(id.ulid)_2")
            #expect(reply.object["payload"] as? Int == 2)
            #expect(reply.object["result"] as? [Int] == [4])
            let attempts = try #require(reply.object["attempts"] as? [[String: Any]])
            #expect(attempts.count == 1)
            #expect(attempts[0]["retry_at"] as? String == "2023-11-14T22:13:20.000Z")
            let error = try #require(attempts[0]["error"] as? [String: Any])
            #expect(error["signal"] as? String == "SIGSEGV")
            #expect((error["certificate"] as? [String: Any])?["pid"] as? Int == 42)
            #expect(try service.get("/v1/jobs/job_\(id.ulid)_2").text == reply.text)
            #expect(try service.get("/v1/jobs/job_\(id.ulid)_3").object["status"] as? String == "running")
            #expect(try service.get("/v1/jobs/job_\(id.ulid)_4").object["status"] as? String == "pending")
            #expect(try service.get("/v1/jobs/job_\(id.ulid)_5").status == 404)
            for index in ["5", "x", "-1", "01"] {
                let missing = try service.get("/v1/batches/\(id)/jobs/\(index)")
                #expect(missing.status == 404)
                #expect(missing.object["detail"] as? String == "There is no job '\(index)' in batch '\(id)'.")
            }
        }
    }
}
