import Foundation
import Glibc
import Testing

/// SIGHUP against the real service.
@Suite struct ReloadTests {
    /// A service with a configuration file that can be changed.
    private final class Site {
        let folder: URL
        let server: TestServer
        let api: API

        init(_ yaml: String, files: [String: String] = [:], workers: Int = 2) throws {
            folder = try TestServer.makeTemporaryFolder()
            for (name, text) in files.merging(["jobmill.yaml": yaml], uniquingKeysWith: { $1 }) {
                try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
            }
            let flags = ["--demo", "--config", folder.appendingPathComponent("jobmill.yaml").path]
            server = try TestServer(flags + (workers == 0 ? [] : ["--workers", "\(workers)"]))
            api = try API(server)
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func write(_ name: String, _ text: String) throws {
            try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }

        func hangUp() { server.signal(SIGHUP) }

        func handler(_ name: String) throws -> [String: Any]? {
            let list = try api.get("/v1/handlers").object()["handlers"] as? [[String: Any]] ?? []
            return list.first { $0["name"] as? String == name }
        }

        /// Reloads, and waits until a handler was loaded anew.
        func reload(_ handler: String) throws {
            let before = try self.handler(handler)?["loaded_at"] as? String
            hangUp()
            try Eventually.isTrue(within: 30) {
                guard let now = try self.handler(handler)?["loaded_at"] as? String else { return false }
                return now != before
            }
        }

        func waitForLog(_ part: String) throws {
            try Eventually.isTrue(within: 30) { server.log.contains(part) }
        }
    }

    /// Sizes differ, so that Python does not take the compiled file of the version before.
    private func module(_ version: Int, _ more: String = "") -> String {
        """
        # \(String(repeating: "version ", count: version))
        import time

        def f(x):
            time.sleep(0.001)
            return [\(version), x]
        \(more)
        """
    }

    private let yaml = "handlers:\n  f: {python: \"tasks:f\", folder: .}\n"

    @Test func `new code takes effect under a running batch, and no job is lost or run twice`() throws {
        let site = try Site(yaml, files: ["tasks.py": module(1)])
        let count = 6000
        let id = try site.api.submit(
            "{\"handler\": \"f\", \"max_attempts\": 1, \"jobs\": [\((0..<count).map(String.init).joined(separator: ","))]}"
        )
        var version = 1
        for share in [500, 1500, 2500] {
            try Eventually.isTrue(within: 60) { try site.api.batch(id).count("succeeded") >= share }
            version += 1
            try site.write("tasks.py", module(version))
            // Two in quick succession come to one.
            site.hangUp()
            try site.reload("f")
        }
        let batch = try site.api.finished(id)
        #expect(batch.count("succeeded") == count)
        let lines = try site.api.get("/v1/batches/\(id)/results").lines()
        #expect(lines.map { $0["index"] as? Int } == (0..<count).map { $0 })
        var versions: Set<Int> = []
        for (index, line) in lines.enumerated() {
            let result = line["result"] as? [Int] ?? []
            #expect(result.last == index)
            versions.insert(result.first ?? 0)
        }
        #expect(versions.isSuperset(of: [1, 4]), "\(versions)")
        for index in stride(from: 0, to: count, by: 500) {
            let job = try site.api.get("/v1/batches/\(id)/jobs/\(index)").object()
            #expect((job["attempts"] as? [Any])?.isEmpty == true, "no try has failed: \(job)")
        }
        #expect(site.server.log.contains("handlers reloaded"))
        // Nothing of the old ones is left.
        try Eventually.isTrue(within: 60) {
            let pool = try site.api.get("/v1/pool").object()
            let runtimes = pool["runtimes"] as? [[String: Any]] ?? []
            return runtimes.allSatisfy { $0["state"] as? String == "ready" }
                && Set(runtimes.compactMap { $0["name"] as? String }).count == runtimes.count
        }
    }

    @Test func `a new version that does not load leaves the old one in force`() throws {
        let site = try Site(yaml, files: ["tasks.py": module(1)])
        #expect(
            try site.api.post("/v1/map/f", "[5]").text == "[[1, 5]]"
                || site.api.post("/v1/map/f", "[5]").text == "[[1,5]]")
        for broken in ["def f(x:\n", "def g(x): return x\n", "import nowhere_to_be_found\n", "import os; os.abort()\n"]
        {
            try site.write("tasks.py", broken)
            site.hangUp()
            try Eventually.isTrue(within: 30) { try site.handler("f")?["reload_problem"] is String }
            #expect(try site.handler("f")?["healthy"] as? Bool == true)
            #expect(try site.api.post("/v1/map/f", "[5]").text.contains("1"))
            try site.write("tasks.py", module(2 + broken.count))
            try site.reload("f")
            #expect(try site.handler("f")?["reload_problem"] is NSNull)
            #expect(try site.api.post("/v1/map/f", "[5]").text.contains("\(2 + broken.count)"))
            try site.write("tasks.py", module(1))
            try site.reload("f")
        }
        #expect(site.server.log.contains("go on as they were"))
    }

    @Test func `a reload that fails again in the same way is told again`() throws {
        let site = try Site(
            "handlers:\n  f: {python: \"tasks:f\", folder: .}\n  g: {python: \"never:g\", folder: .}\n",
            files: ["tasks.py": module(1), "never.py": "raise ValueError('never')\n"])
        func count(_ text: String, _ reason: String) -> Int {
            site.server.log.split(separator: "\n").count { $0.contains(text) && $0.contains(reason) }
        }
        try Eventually.isTrue(within: 30) { count("handlers cannot be prepared", "never") > 0 }
        try Eventually.isTrue(within: 30) { try site.handler("f")?["loaded_at"] is String }
        try site.write("tasks.py", "import nowhere_to_be_found\n")
        for round in 1...4 {
            let before = count("handlers cannot be prepared", "never")
            site.hangUp()
            try Eventually.isTrue(within: 60) {
                count("go on as they were", "nowhere_to_be_found") == round
                    && count("handlers cannot be prepared", "never") > before
            }
        }
    }

    @Test func `what is added to a module runs, though what was there is missing`() throws {
        let site = try Site(yaml, files: ["tasks.py": module(1)])
        try Eventually.isTrue(within: 30) { try site.handler("f")?["loaded_at"] is String }
        try site.write("tasks.py", "def h(x):\n    return x + 1\n")
        try site.write("jobmill.yaml", yaml + "  h: {python: \"tasks:h\", folder: .}\n")
        site.hangUp()
        try Eventually.isTrue(within: 60) { try site.handler("f")?["reload_problem"] is String }
        try Eventually.isTrue(within: 60) { try site.handler("h")?["healthy"] as? Bool == true }
        #expect(try site.api.post("/v1/map/h", "[5]").text == "[6]")
        #expect(try site.api.post("/v1/map/f", "[5]").text.contains("1"), "as before")
    }

    @Test func `handlers come and go, and what is left of one waits for it`() throws {
        let both = "handlers:\n  slow: {exec: \"sh -c 'sleep 0.05; cat'\"}\n  cat: {exec: cat}\n"
        let site = try Site(both)
        let id = try site.api.submit(
            #"{"handler": "slow", "max_attempts": 1, "chunk_size": 2, "jobs": [\#((0..<60).map(String.init).joined(separator: ","))]}"#
        )
        try Eventually.isTrue(within: 30) { try site.api.batch(id).count("succeeded") > 3 }
        try site.write("jobmill.yaml", "handlers:\n  cat: {exec: cat}\n  tac: {exec: tac}\n")
        try site.reload("cat")
        #expect(site.server.log.contains("added"))
        #expect(try site.api.post("/v1/jobs", #"{"handler": "slow", "payload": 1}"#).status == 422)
        #expect(try site.api.post("/v1/map/slow", "[1]").status == 404)
        #expect(try site.api.post("/v1/map/tac", "[7]").text == "[7]")
        try Eventually.isTrue(within: 60) { try site.api.batch(id).count("running") == 0 }
        let left = try site.api.batch(id)
        #expect(left.count("pending") > 0 && left.count("failed") == 0)
        try site.write("jobmill.yaml", both)
        try site.reload("slow")
        #expect(try site.api.finished(id).count("succeeded") == 60)
        #expect(try site.api.post("/v1/map/tac", "[1]").status == 404)
    }

    @Test func `settings that make no sense change nothing, and every problem is told`() throws {
        let site = try Site(yaml, files: ["tasks.py": module(1)])
        try site.write(
            "jobmill.yaml",
            "listen: 127.0.0.1:0\nhandlers:\n  f: {python: \"tasks\"}\n  g: {exec: cat, timeout: soon}\n")
        site.hangUp()
        try site.waitForLog("all goes on as before")
        #expect(site.server.log.contains("jobmill.yaml:3: handlers.f.python"))
        #expect(site.server.log.contains("jobmill.yaml:4: handlers.g.timeout"))
        #expect(try site.handler("g") == nil)
        #expect(try site.api.post("/v1/map/f", "[5]").status == 200)
        try site.write("jobmill.yaml", "handlers: [")
        site.hangUp()
        try Eventually.isTrue(within: 30) { site.server.log.components(separatedBy: "as before").count == 3 }
        #expect(try site.api.post("/v1/map/f", "[5]").status == 200)
    }

    @Test func `another time-out, other arguments and other environments take effect`() throws {
        let site = try Site("handlers:\n  nap: {exec: \"sh -c 'sleep 1; echo $MOOD'\", environment: {MOOD: 1}}\n")
        #expect(try site.api.post("/v1/map/nap", "[0]").text == "[1]")
        try site.write(
            "jobmill.yaml",
            "handlers:\n  nap: {exec: \"sh -c 'sleep 1; echo $MOOD'\", timeout: 300ms, environment: {MOOD: 2}}\n")
        try site.reload("nap")
        let failed = try site.api.post(
            "/v1/jobs", #"{"handler": "nap", "payload": 0, "max_attempts": 1}"#, [("Prefer", "wait=60")])
        #expect((try failed.object()["error"] as? [String: Any])?["kind"] as? String == "timeout", "\(failed.text)")
        try site.write("jobmill.yaml", "handlers:\n  nap: {exec: \"sh -c 'echo $MOOD'\", environment: {MOOD: 3}}\n")
        try site.reload("nap")
        #expect(try site.api.post("/v1/map/nap", "[0]").text == "[3]")
    }

    @Test func `a handler that cannot run is tried at once`() throws {
        let site = try Site(yaml, files: ["tasks.py": "raise ValueError('not yet')\n"])
        try Eventually.isTrue(within: 30) { (try site.handler("f")?["reason"] as? String)?.contains("not yet") == true }
        // Long pauses between tries.
        usleep(2_000_000)
        try site.write("tasks.py", module(1))
        site.hangUp()
        try Eventually.isTrue(within: 30) { try site.handler("f")?["healthy"] as? Bool == true }
        #expect(try site.api.post("/v1/map/f", "[5]").status == 200)
    }

    @Test func `other settings are applied, or said to need a restart`() throws {
        let site = try Site("workers: 1\n", workers: 0)
        try site.write("jobmill.yaml", "workers: 3\ngrace: 3\nmax_body: 2MiB\n")
        site.hangUp()
        try Eventually.isTrue(within: 30) { try site.api.get("/v1/pool").object()["size"] as? Int == 3 }
        try site.waitForLog("need a restart")
        #expect(site.server.log.contains("grace") && site.server.log.contains("max_body"))
    }

    @Test func `a service that stops reloads nothing`() throws {
        let site = try Site("grace: 20\n")
        let id = try site.api.submit(#"{"handler": "sleep", "jobs": [1.5], "max_attempts": 1}"#)
        try Eventually.isTrue(within: 30) { try site.api.batch(id).count("running") == 1 }
        site.server.signal(SIGTERM)
        try site.waitForLog("stopping")
        site.hangUp()
        try site.waitForLog("SIGHUP is ignored")
        #expect(site.server.waitForEnd() == 0)
        #expect(!site.server.log.contains("reloading"))
    }
}
