import Foundation
import Synchronization
import Testing

@Suite struct CrashTests {
    @Test func `a job that kills its fork server is found and charged, and nobody else is`() throws {
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let module = """
            import os, signal, time
            def patricide(x):
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(60)
            def good(x):
                time.sleep(0.01)
                return x
            """
        try module.write(to: folder.appendingPathComponent("family.py"), atomically: true, encoding: .utf8)
        let settings = folder.appendingPathComponent("jobmill.yaml")
        let handlers = ["patricide", "good"].map { "  \($0): {python: \"family:\($0)\", folder: .}\n" }.joined()
        try "handlers:\n\(handlers)".write(to: settings, atomically: true, encoding: .utf8)
        let server = try TestServer(["--workers", "3", "--config", settings.path])
        let api = try API(server)
        let numbers = (0..<300).map(String.init).joined(separator: ",")
        let good = try api.submit("{\"handler\": \"good\", \"jobs\": [\(numbers)]}")
        let bad = try api.submit(
            #"{"handler": "patricide", "max_attempts": 2, "backoff": {"initial": 0.1}, "jobs": [1]}"#)
        #expect(try api.finished(bad).count("failed") == 1)
        #expect(try api.finished(good).count("succeeded") == 300)
        let job = try api.get("/v1/batches/\(bad)/jobs/0").object()
        let attempts = try #require(job["attempts"] as? [[String: Any]])
        #expect(attempts.count == 2)
        let errors = attempts.compactMap { $0["error"] as? [String: Any] }
        #expect(errors.allSatisfy { $0["kind"] as? String == "signal" && $0["certificate"] is [String: Any] })
        #expect(errors.allSatisfy { ($0["message"] as? String)?.hasPrefix("the fork server was killed") == true })
        // The module is well again.
        let answer = try Eventually.value(within: 30) {
            let answer = try api.post("/v1/jobs", #"{"handler": "good", "payload": 7}"#, [("Prefer", "wait=30")])
            return answer.status == 503 ? nil : answer
        }
        #expect(answer.status == 200, "\(answer.text)")
    }

    @Test func `a crash in a chunk of 1,000 fails one job and 999 succeed`() throws {
        let api = try API(TestServer())
        var jobs = Array(repeating: "false", count: 1000)
        jobs[417] = "\"SIGSEGV\""
        let id = try api.submit(
            "{\"handler\": \"crash\", \"chunk_size\": 1000, \"max_attempts\": 1, \"jobs\": [\(jobs.joined(separator: ","))]}"
        )
        let batch = try api.finished(id)
        #expect(batch.count("succeeded") == 999)
        #expect(batch.count("failed") == 1)
        let failed = try api.get("/v1/batches/\(id)/results").lines().filter { $0["status"] as? String == "failed" }
        #expect(failed.map { $0["index"] as? Int } == [417])
        let error = try #require(failed.first?["error"] as? [String: Any])
        #expect(error["signal"] as? String == "SIGSEGV")
    }

    @Test(arguments: [SIGKILL, SIGTERM])
    func `a batch goes on after the server ended in its middle`(signal: Int32) throws {
        let server = try TestServer()
        let api = try API(server)
        let count = 3000
        let id = try api.submit(
            "{\"handler\": \"sleep\", \"jobs\": [\(Array(repeating: "0.001", count: count).joined(separator: ","))]}")
        try Eventually.isTrue(within: 30) { try api.batch(id).count("succeeded") > 100 }
        if signal == SIGKILL { server.kill() } else { #expect(server.terminate() == 0) }
        try server.start()
        api.server = server.url
        let batch = try api.finished(id)
        #expect(batch.status == "completed")
        #expect(batch.count("succeeded") == count)
        #expect(try api.get("/v1/batches/\(id)/results").lines().count == count)
    }

    @Test func `a stop tells those who wait where their batch is to be found, and costs no attempt`() throws {
        let server = try TestServer(["--demo", "--grace", "0.2"])
        let url = server.url
        let answers = Mutex<[(status: Int, location: String?)]>([])
        let waiter = Thread {
            guard let api = try? API(server: url),
                let answer = try? api.post(
                    "/v1/batches", #"{"handler": "sleep", "jobs": [2], "max_attempts": 1}"#, [("Prefer", "wait=60")])
            else { return }
            answers.withLock { $0.append((answer.status, answer.header("Location"))) }
        }
        waiter.start()
        let api = try API(server)
        try Eventually.isTrue(within: 60) {
            let batches = try api.get("/v1/batches").object()["batches"] as? [[String: Any]] ?? []
            return batches.contains { BatchView($0).count("running") == 1 }
        }
        #expect(server.terminate() == 0)
        try Eventually.isTrue(within: 60) { waiter.isFinished }
        let answer = try #require(answers.withLock { $0.first })
        #expect(answer.status == 202)
        try server.start()
        api.server = server.url
        let id = try #require(answer.location?.split(separator: "/").last)
        #expect(try api.finished(String(id)).count("succeeded") == 1)
    }

    @Test func `no worker outlives a killed server`() throws {
        let server = try TestServer(["--demo", "--workers", "3"])
        let api = try API(server)
        _ = try api.submit(#"{"handler": "hang", "jobs": [1, 2, 3]}"#)
        let family = try Eventually.value(within: 60) { () -> [Int32]? in
            let found = ProcessTree.descendants(of: server.processIdentifier)
            return found.count >= 4 ? found : nil
        }
        server.kill()
        try Eventually.isTrue(within: 30) { family.allSatisfy { !ProcessTree.isAlive($0) } }
    }

    /// The promise of the store: what was answered 2xx is never lost and never done twice in the records.
    @Test func `fifty kills under load lose nothing`() throws {
        let server = try TestServer()
        let acknowledged = Mutex<[Acknowledged]>([])
        for round in 0..<50 {
            if round > 0 { try server.start() }
            let url = server.url
            let threads = (0..<4).map { number in
                Thread {
                    guard let api = try? API(server: url) else { return }
                    for sequence in 0... {
                        let size = 1 + (sequence * 7 + number * 13) % 40
                        let base = (round * 4 + number) * 1_000_000 + sequence * 100
                        let jobs = (0..<size).map { String(base + $0) }.joined(separator: ",")
                        guard let id = try? api.submit("{\"handler\": \"square\", \"jobs\": [\(jobs)]}") else { return }
                        acknowledged.withLock { $0.append(Acknowledged(id: id, base: base, size: size)) }
                    }
                }
            }
            let before = acknowledged.withLock { $0.count }
            for thread in threads { thread.start() }
            let enough = before + Int.random(in: 1...60)
            try Eventually.isTrue(within: 30) { acknowledged.withLock { $0.count } >= enough }
            server.kill()
            try Eventually.isTrue(within: 30) { threads.allSatisfy(\.isFinished) }
        }
        try server.start()
        let api = try API(server)
        let all = acknowledged.withLock { $0 }
        #expect(all.count >= 50)
        for batch in all {
            let view = try api.finished(batch.id)
            #expect(view.count("succeeded") == batch.size && view.count("total") == batch.size, "\(batch.id)")
            let values = try api.get("/v1/batches/\(batch.id)/results?view=values").json() as? [Int]
            #expect(values == (batch.base..<batch.base + batch.size).map { $0 * $0 }, "\(batch.id)")
        }
    }

    private struct Acknowledged: Sendable {
        let id: String
        let base: Int
        let size: Int
    }
}
