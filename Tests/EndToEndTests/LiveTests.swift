import Foundation
import Testing

/// What running jobs say of themselves, from a handler to whoever asks.
@Suite struct LiveTests {
    private static let module = """
        import sys, time

        def work(seconds, context):
            print("out")
            print("err", file=sys.stderr)
            context.add("rows", 2)
            context.progress(0.5, "half")
            time.sleep(seconds)
            return context.shared
        """

    @Test func `lines, progress, counters and the shared value reach who asks`() throws {
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try Self.module.write(to: folder.appendingPathComponent("live.py"), atomically: true, encoding: .utf8)
        let server = try TestServer(
            ["--handler", "work=python:live:work", "--workers", "2"], environment: ["PYTHONPATH": folder.path])
        let api = try API(server)
        let quick = try api.submit(#"{"handler": "work", "jobs": [0, 0], "shared": {"a": 1}}"#)
        #expect(try api.finished(quick).count("succeeded") == 2)
        let results = try api.get("/v1/batches/\(quick)/results?view=values").text
        #expect(results == #"[{"a": 1},{"a": 1}]"# || results == #"[{"a":1},{"a":1}]"#)
        let batch = try api.get("/v1/batches/\(quick)").object()
        #expect((batch["counters"] as? [String: Int]) == ["rows": 4])
        for index in 0..<2 {
            let job = try api.get("/v1/batches/\(quick)/jobs/\(index)").object()
            let texts = (job["logs"] as? [[String: Any]] ?? []).compactMap { $0["text"] as? String }
            #expect(Set(texts) == ["out", "err"], "job \(index)")
        }

        let lone = try api.post("/v1/jobs", #"{"handler": "work", "payload": 0}"#, [("Prefer", "wait=60")])
        #expect(lone.status == 200)
        #expect((try lone.object()["logs"] as? [Any])?.count == 2)

        let slow = try api.submit(#"{"handler": "work", "jobs": [60]}"#)
        try Eventually.isTrue(within: 60) {
            let job = try api.get("/v1/batches/\(slow)/jobs/0").object()
            let progress = job["progress"] as? [String: Any]
            return progress?["message"] as? String == "half" && (job["logs"] as? [Any])?.count == 2
        }
        let pool = try api.get("/v1/pool").object()
        let workers = try #require(pool["workers"] as? [[String: Any]])
        #expect(
            workers.contains { ($0["job"] as? String)?.hasSuffix("_0") == true && $0["state"] as? String == "busy" })
        let status = try Commands.jobmill(
            ["status", "job_\(slow.dropFirst(4))_0", "--server", server.url])
        #expect(status.output.contains("50 %, half"))
        let cancelled = try api.post("/v1/batches/\(slow)/cancel", "", [("Prefer", "wait=60")])
        #expect(cancelled.status == 200)
    }
}
