import Foundation
import Testing

@Suite struct MainJobTests {
    @Test func `a batch goes from submit to results`() throws {
        let api = try API(TestServer())
        let submitted = try api.post("/v1/batches", #"{"handler": "square", "jobs": [1, 2, 3]}"#)
        #expect(submitted.status == 202)
        let id = try #require(try submitted.object()["id"] as? String)
        #expect(submitted.header("Location") == "/v1/batches/\(id)")

        let batch = try api.finished(id)
        #expect(batch.status == "completed")
        #expect(batch.count("succeeded") == 3)
        #expect(batch.count("pending") == 0)

        let lines = try api.get("/v1/batches/\(id)/results").lines()
        #expect(lines.map { $0["result"] as? Int } == [1, 4, 9])
        #expect(lines.map { $0["index"] as? Int } == [0, 1, 2])
        #expect(try api.get("/v1/batches/\(id)/results?view=values").json() as? [Int] == [1, 4, 9])

        let job = try api.get("/v1/batches/\(id)/jobs/1").object()
        #expect(job["status"] as? String == "succeeded")
        #expect(job["payload"] as? Int == 2)
        #expect(job["result"] as? Int == 4)
        let jobID = try #require(job["id"] as? String)
        #expect(try api.get("/v1/jobs/\(jobID)").object()["result"] as? Int == 4)
    }

    @Test func `map answers with the results in order`() throws {
        let api = try API(TestServer())
        let answer = try api.post("/v1/map/square", "[1,2,3]")
        #expect(answer.status == 200)
        #expect(answer.text == "[1,4,9]")

        let many = (0..<20_000).map(String.init).joined(separator: ",")
        let squares = try api.post("/v1/map/square", "[\(many)]").json() as? [Int]
        #expect(squares == (0..<20_000).map { $0 * $0 })
    }

    @Test func `one job is answered as a job, at once if the client waits`() throws {
        let api = try API(TestServer())
        let answer = try api.post(
            "/v1/jobs", #"{"handler": "echo", "payload": {"a": [1, "ü"]}}"#, [("Prefer", "wait=60")])
        #expect(answer.status == 200)
        let job = try answer.object()
        #expect(job["status"] as? String == "succeeded")
        let result = try #require(job["result"] as? [String: Any])
        #expect((result["a"] as? [Any])?.last as? String == "ü")
    }

    @Test func `a failing job is tried as often as allowed and its neighbours succeed`() throws {
        let api = try API(TestServer())
        let id = try api.submit(
            #"{"handler": "square", "jobs": [2, "two", 3], "max_attempts": 2, "backoff": {"initial": 0.01}}"#)
        let batch = try api.finished(id)
        #expect(batch.count("succeeded") == 2)
        #expect(batch.count("failed") == 1)
        let job = try api.get("/v1/batches/\(id)/jobs/1").object()
        #expect(job["status"] as? String == "failed")
        #expect((job["attempts"] as? [Any])?.count == 2)
        let map = try api.post("/v1/map/square", #"[1, "x", 3]"#)
        #expect(map.status == 422)
        #expect(map.header("Content-Type") == "application/problem+json")
    }

    @Test func `a hung job is killed at its deadline`() throws {
        let api = try API(TestServer())
        let id = try api.submit(#"{"handler": "hang", "jobs": [null], "timeout": 0.3, "max_attempts": 1}"#)
        #expect(try api.finished(id, within: 60).count("failed") == 1)
        let job = try api.get("/v1/batches/\(id)/jobs/0").object()
        #expect((job["error"] as? [String: Any])?["kind"] as? String == "timeout")
    }

    @Test func `cancel ends a batch, also a job that runs`() throws {
        let api = try API(TestServer(["--demo", "--workers", "2"]))
        let id = try api.submit(#"{"handler": "sleep", "jobs": [60, 60, 60, 60]}"#)
        try Eventually.isTrue(within: 60) { try api.batch(id).count("running") > 0 }
        let answer = try api.post("/v1/batches/\(id)/cancel", "")
        #expect(answer.status == 202)
        let batch = try api.finished(id, within: 30)
        #expect(batch.status == "cancelled")
        #expect(batch.count("cancelled") == 4)
    }

    @Test func `a small batch does not wait behind a large one`() throws {
        let api = try API(TestServer(["--demo", "--workers", "2"]))
        let large = try api.submit(
            "{\"handler\": \"sleep\", \"jobs\": [\(Array(repeating: "0.002", count: 100_000).joined(separator: ","))]}")
        try Eventually.isTrue(within: 60) { try api.batch(large).count("running") > 0 }
        let small = try api.post("/v1/jobs", #"{"handler": "square", "payload": 12}"#, [("Prefer", "wait=60")])
        #expect(small.status == 200)
        #expect(try small.object()["result"] as? Int == 144)
        #expect(try !api.batch(large).isFinal)
        _ = try api.post("/v1/batches/\(large)/cancel", "")
        #expect(try api.finished(large).count("pending") == 0)
    }
}
