import Foundation
import Testing

@Suite struct CancelTests {
    @Test func `a cancel that waits answers when what ran is dead`() throws {
        let server = try TestServer(["--demo", "--workers", "3"])
        let api = try API(server)
        let id = try api.submit(#"{"handler": "hang", "jobs": [1, 2, 3, 4, 5, 6]}"#)
        try Eventually.isTrue(within: 60) {
            let workers = try api.get("/v1/pool").object()["workers"] as? [[String: Any]] ?? []
            return workers.count { $0["state"] as? String == "busy" && $0["pid"] is Int } == 3
        }
        let before = Set(ProcessTree.descendants(of: server.processIdentifier))
        let answer = try api.post("/v1/batches/\(id)/cancel", "", [("Prefer", "wait=60")])
        #expect(answer.status == 200)
        #expect(answer.header("Preference-Applied") == "wait=60")
        let batch = BatchView(try answer.object())
        #expect(batch.status == "cancelled")
        #expect(batch.count("running") == 0)
        #expect(batch.count("cancelled") == 6)
        // The fork server is left, and fresh workers; those that ran the jobs are gone.
        let left = before.filter(ProcessTree.isAlive)
        #expect(left.count <= before.count - 3, "\(left.count) of \(before.count) processes are alive")
    }

    @Test func `a job that ignores SIGTERM is dead after the grace period, and the answer says so`() throws {
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let module = """
            import os, signal, time
            def stay(path):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                with open(path + ".new", "w") as file:
                    file.write(str(os.getpid()))
                os.rename(path + ".new", path)
                while True:
                    time.sleep(60)
            """
        try module.write(to: folder.appendingPathComponent("stubborn.py"), atomically: true, encoding: .utf8)
        let settings = folder.appendingPathComponent("jobmill.yaml")
        try "handlers:\n  stay: {python: \"stubborn:stay\", folder: .}\n".write(
            to: settings, atomically: true, encoding: .utf8)
        let server = try TestServer(["--workers", "1", "--grace", "0.5", "--config", settings.path])
        let api = try API(server)
        let file = folder.appendingPathComponent("pid")
        let id = try api.submit(#"{"handler": "stay", "jobs": ["\#(file.path)"]}"#)
        let worker = try Eventually.value(within: 30) {
            (try? String(contentsOf: file, encoding: .utf8)).flatMap(Int32.init)
        }
        #expect(ProcessTree.isAlive(worker))
        let begin = ContinuousClock.now
        let answer = try api.post("/v1/batches/\(id)/cancel", "", [("Prefer", "wait=60")])
        let span = ContinuousClock.now - begin
        #expect(!ProcessTree.isAlive(worker))
        #expect(answer.status == 200)
        let batch = BatchView(try answer.object())
        #expect(batch.status == "cancelled")
        #expect(batch.count("running") == 0)
        #expect(span >= .milliseconds(450), "the job has its grace period: \(span)")
        // 100 ms on a machine that has nothing else to do.
        #expect(span < .milliseconds(1500), "\(span)")
        let job = try #require(try api.get("/v1/batches/\(id)/results").lines().first)
        #expect(job["status"] as? String == "cancelled")
        let attempts =
            try api.get("/v1/jobs/\(try #require(job["id"] as? String))").object()["attempts"] as? [[String: Any]]
        let error = try #require(attempts?.first?["error"] as? [String: Any])
        #expect(error["kind"] as? String == "cancelled")
        #expect(error["signal"] as? String == "SIGKILL")
        #expect((error["certificate"] as? [String: Any])?["pid"] as? Int == Int(worker))
    }

    @Test func `a command that traps SIGTERM puts its things in order`() throws {
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = """
            trap 'sleep 0.5; echo cleaned > order; echo 7; exit 0' TERM
            echo ready > ready
            while :; do sleep 0.05; done
            """
        try script.write(to: folder.appendingPathComponent("work.sh"), atomically: true, encoding: .utf8)
        let settings = folder.appendingPathComponent("jobmill.yaml")
        try "handlers:\n  tidy: {exec: sh work.sh, folder: .}\n".write(
            to: settings, atomically: true, encoding: .utf8)
        let server = try TestServer(["--workers", "1", "--grace", "60", "--config", settings.path])
        let api = try API(server)
        let id = try api.submit(#"{"handler": "tidy", "jobs": [1, 2]}"#)
        let files = FileManager.default
        try Eventually.isTrue(within: 30) { files.fileExists(atPath: folder.appendingPathComponent("ready").path) }
        let answer = try api.post("/v1/batches/\(id)/cancel", "", [("Prefer", "wait=60")])
        #expect(answer.status == 200)
        #expect(try String(contentsOf: folder.appendingPathComponent("order"), encoding: .utf8) == "cleaned\n")
        let batch = BatchView(try answer.object())
        #expect(batch.status == "cancelled")
        #expect(batch.count("cancelled") == 2)
        let job = try #require(try api.get("/v1/batches/\(id)/results").lines().first)
        #expect(job["status"] as? String == "cancelled")
    }

    @Test func `a cancel that does not wait answers at once, and the end comes`() throws {
        let server = try TestServer(["--demo", "--workers", "1"])
        let api = try API(server)
        let id = try api.submit(#"{"handler": "hang", "jobs": [1, 2]}"#)
        try Eventually.isTrue(within: 60) { try api.batch(id).count("running") == 1 }
        let answer = try api.post("/v1/batches/\(id)/cancel", "")
        #expect([200, 202].contains(answer.status))
        #expect(try api.finished(id).count("cancelled") == 2)
        let jobs = try api.get("/v1/batches/\(id)/results").lines()
        #expect(jobs.allSatisfy { $0["status"] as? String == "cancelled" })
    }
}
