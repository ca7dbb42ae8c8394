import Foundation
import Testing

/// Queues, through the real service.
@Suite struct QueuesTests {
    /// Notes when it begins and when it ends, so that it can be seen from outside how many run at once.
    private static let module = """
        import os, time

        def note(sign):
            file = os.open("notes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(file, sign)
            os.close(file)

        def one(x):
            note(b"+")
            time.sleep(0.01)
            note(b"-")
            return x

        def other(x): return one(x)
        """

    private func withServer(_ queues: String = "", _ body: (URL, TestServer, API) throws -> Void) throws {
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try Self.module.write(to: folder.appendingPathComponent("noting.py"), atomically: true, encoding: .utf8)
        let file = folder.appendingPathComponent("jobmill.yaml")
        let handlers = ["one", "other"].map { "  \($0): {python: \"noting:\($0)\", folder: ., queue: narrow}\n" }
        try "handlers:\n\(handlers.joined())\(queues)".write(to: file, atomically: true, encoding: .utf8)
        let server = try TestServer(["--workers", "4", "--config", file.path])
        try body(folder, server, API(server))
    }

    private func patch(_ api: API, _ name: String, _ body: String) throws -> [String: Any] {
        let answer = try api.send(
            "PATCH", "/v1/queues/\(name)", body, [("Content-Type", "application/json")])
        #expect(answer.status == 200, "\(answer.text)")
        return try answer.object()
    }

    private func submit(_ api: API, _ handler: String, jobs: Int) throws -> String {
        let payloads = (0..<jobs).map(String.init).joined(separator: ",")
        return try api.submit("{\"handler\": \"\(handler)\", \"chunk_size\": 5, \"jobs\": [\(payloads)]}")
    }

    /// How many jobs ran at once at most, and how many there were.
    private func notes(_ folder: URL) throws -> (most: Int, count: Int) {
        var (running, most, count) = (0, 0, 0)
        for sign in try String(contentsOf: folder.appendingPathComponent("notes"), encoding: .utf8) {
            running += sign == "+" ? 1 : -1
            count += sign == "+" ? 1 : 0
            most = max(most, running)
        }
        return (most, count)
    }

    @Test func `the limit of a queue holds over two handlers and four workers`() throws {
        try withServer("queues:\n  narrow: {concurrency: 1}\n") { folder, _, api in
            let ids = try ["one", "other", "one", "other"].map { try submit(api, $0, jobs: 50) }
            for id in ids { #expect(try api.finished(id).count("succeeded") == 50) }
            let (most, count) = try notes(folder)
            #expect(most == 1)
            #expect(count == 200)
            // And without it, they do run at once.
            _ = try patch(api, "narrow", #"{"concurrency": null}"#)
            let more = try ["one", "other"].map { try submit(api, $0, jobs: 50) }
            for id in more { #expect(try api.finished(id).count("succeeded") == 50) }
            #expect(try notes(folder).most > 1)
        }
    }

    @Test func `a pause and a limit outlive the service, and what the file says does so as well`() throws {
        try withServer("queues:\n  fixed: {priority: 7}\n") { folder, server, api in
            let changed = try patch(api, "narrow", #"{"paused": true, "concurrency": 1}"#)
            #expect(changed["paused"] as? Bool == true)
            _ = try patch(api, "fixed", #"{"priority": 3, "concurrency": 9}"#)
            let waiting = try ["one", "other"].map { try submit(api, $0, jobs: 20) }
            let waited = try api.post(
                "/v1/jobs", #"{"handler": "one", "payload": 1}"#, [("Prefer", "wait=1")])
            #expect(waited.status == 202)
            // Another queue is not held up by it.
            let free = try api.post(
                "/v1/jobs", #"{"handler": "one", "queue": "free", "payload": 1}"#, [("Prefer", "wait=60")])
            #expect(free.status == 200, "\(free.text)")

            server.kill()
            try server.start()
            api.server = server.url
            let queues = try #require(try api.get("/v1/queues").object()["queues"] as? [[String: Any]])
            let narrow = try #require(queues.first { $0["name"] as? String == "narrow" })
            #expect(narrow["paused"] as? Bool == true)
            #expect(narrow["concurrency"] as? Int == 1)
            #expect((narrow["counts"] as? [String: Any])?["batches"] as? Int == 3)
            #expect((narrow["counts"] as? [String: Any])?["jobs"] as? Int == 41)
            #expect((narrow["counts"] as? [String: Any])?["running"] as? Int == 0)
            let fixed = try #require(queues.first { $0["name"] as? String == "fixed" })
            #expect(fixed["priority"] as? Int == 7, "the file counts")
            #expect(fixed["concurrency"] as? Int == 9, "where it says nothing, what was set")
            let other = try api.post(
                "/v1/jobs", #"{"handler": "other", "queue": "free", "payload": 1}"#, [("Prefer", "wait=60")])
            #expect(other.status == 200, "\(other.text)")
            #expect(try waiting.allSatisfy { try api.batch($0).count("pending") == 20 })

            let resumed = try Commands.jobmill(["queues", "resume", "narrow", "--server", server.url])
            #expect(resumed.status == 0, "\(resumed.errors)")
            #expect(resumed.output.contains("open"))
            for id in waiting { #expect(try api.finished(id).count("succeeded") == 20) }
            #expect(try notes(folder).count == 43)
            let list = try Commands.jobmill(["queues", "--server", server.url])
            #expect(list.output.contains("narrow"))
        }
    }

    @Test(arguments: ["sleep", "slow.lines", "slow.runs"])
    func `a pause reaches the chunk that a worker has already got`(_ handler: String) throws {
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = """
            import json, sys, time
            for line in sys.stdin:
                job = json.loads(line)
                time.sleep(job["payload"])
                print(json.dumps({"id": job["id"], "result": 1}), flush=True)
            """
        try program.write(to: folder.appendingPathComponent("slow.py"), atomically: true, encoding: .utf8)
        let file = folder.appendingPathComponent("jobmill.yaml")
        let yaml = """
            handlers:
              slow.lines: {lines: python3 slow.py, folder: .}
              slow.runs: {exec: sleep 0.25}
            """
        try yaml.write(to: file, atomically: true, encoding: .utf8)
        let server = try TestServer(["--demo", "--workers", "1", "--config", file.path])
        let api = try API(server)
        let jobs = Array(repeating: "0.25", count: 40).joined(separator: ",")
        let id = try api.submit(#"{"handler": "\#(handler)", "chunk_size": 40, "jobs": [\#(jobs)]}"#)
        try Eventually.isTrue(within: 30) { try api.batch(id).count("succeeded") > 0 }
        #expect(try api.batch(id).count("running") > 20, "they are in one chunk")
        let before = try api.batch(id).count("succeeded")
        _ = try patch(api, "default", #"{"paused": true}"#)
        try Eventually.isTrue(within: 60) { try api.batch(id).count("running") == 0 }
        let paused = try api.batch(id)
        // The one that ran, and what had ended without being counted; but a busy machine may take its time to say so.
        #expect(paused.count("succeeded") < before + 15)
        #expect(paused.count("pending") == 40 - paused.count("succeeded"))
        // The worker is free for others.
        let other = try api.post(
            "/v1/jobs", #"{"handler": "sleep", "queue": "free", "payload": 1}"#, [("Prefer", "wait=60")])
        #expect(other.status == 200, "\(other.text)")
        #expect(try api.batch(id).count("pending") == paused.count("pending"))

        _ = try patch(api, "default", #"{"paused": false}"#)
        #expect(try api.finished(id).count("succeeded") == 40)
        for index in [0, paused.count("succeeded"), 39] {
            let job = try api.get("/v1/batches/\(id)/jobs/\(index)").object()
            #expect((job["attempts"] as? [Any])?.isEmpty == true, "no try was charged: \(job)")
        }
    }

    @Test func `a batch that waits in a paused queue can be cancelled`() throws {
        try withServer { _, _, api in
            _ = try patch(api, "narrow", #"{"paused": true}"#)
            let id = try submit(api, "one", jobs: 20)
            let answer = try api.post("/v1/batches/\(id)/cancel", "{}", [("Prefer", "wait=60")])
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try api.batch(id).count("cancelled") == 20)
        }
    }
}
