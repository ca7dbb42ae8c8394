import Foundation
import Testing

/// Each way to bring a handler, through the real service.
@Suite struct HandlersTests {
    private func withHandlers(_ yaml: String, files: [String: String] = [:], _ body: (API) throws -> Void) throws {
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }
        let file = folder.appendingPathComponent("jobmill.yaml")
        try yaml.write(to: file, atomically: true, encoding: .utf8)
        let server = try TestServer(["--demo", "--workers", "2", "--config", file.path])
        try body(API(server))
    }

    private func error(_ api: API, _ handler: String, _ payload: String) throws -> [String: Any] {
        let job = #"{"handler": "\#(handler)", "payload": \#(payload), "max_attempts": 1}"#
        let answer = try api.post("/v1/jobs", job, [("Prefer", "wait=60")])
        return try #require(try answer.object()["error"] as? [String: Any], "\(answer.text)")
    }

    @Test func `a command that runs once for each job`() throws {
        try withHandlers(
            """
            handlers:
              cat: {exec: cat}
              fails: {exec: "sh -c 'echo broken >&2; exit 3'"}
              talks: {exec: echo hello}
              dies: {exec: "sh -c 'kill -9 $$'"}
            """
        ) { api in
            #expect(try api.post("/v1/map/cat", #"[1, {"a": [2]}, "x"]"#).text == #"[1,{"a": [2]},"x"]"#)
            let failure = try error(api, "fails", "1")
            #expect(failure["message"] as? String == "exited with status 3: broken")
            #expect(failure["exit_code"] as? Int == 3)
            let certificate = try #require(failure["certificate"] as? [String: Any])
            #expect(certificate["stderr"] as? String == "broken\n")
            #expect(certificate["pid"] is Int && certificate["cpu_seconds"] is Double)
            #expect(try error(api, "talks", "1")["kind"] as? String == "invalid_result")
            #expect(try error(api, "dies", "1")["type"] as? String == "Signal")
            // Who brings what fails does not hurt the others.
            #expect(try api.post("/v1/map/cat", "[7]").text == "[7]")
        }
    }

    @Test func `a command that takes one job after the other`() throws {
        let echo = """
            import json, sys
            for line in sys.stdin:
                job = json.loads(line)
                if job["payload"] == "die":
                    sys.exit(5)
                print(json.dumps({"id": job["id"], "result": job["payload"]}), flush=True)
            """
        try withHandlers(
            "handlers:\n  echo2:\n    lines: python3 echo.py\n    folder: .\n", files: ["echo.py": echo]
        ) { api in
            let numbers = "[" + (0..<500).map(String.init).joined(separator: ",") + "]"
            #expect(try api.post("/v1/map/echo2", numbers).text == numbers)
            let failure = try error(api, "echo2", "\"die\"")
            #expect(failure["kind"] as? String == "exception")
            #expect(try api.post("/v1/map/echo2", "[1]").text == "[1]")
        }
    }

    @Test func `commands read what their batch shares, and no settings of the service`() throws {
        let program = """
            import json, os, sys
            for line in sys.stdin:
                job = json.loads(line)
                shared = json.load(open(job["shared_file"])) if "shared_file" in job else None
                names = sorted(name for name in os.environ if name.startswith("JOBMILL_"))
                print(json.dumps({"id": job["id"], "result": [shared, names]}), flush=True)
            """
        let yaml = """
            handlers:
              once:
                exec: sh -c 'cat "$JOBMILL_SHARED_FILE"'
              many: {lines: "python3 shared.py", folder: .}
            """
        try withHandlers(yaml, files: ["shared.py": program]) { api in
            let large = String(repeating: "x", count: 200_000)
            for (handler, expected) in [
                ("once", "{\"rate\": \"\(large)\"}"),
                ("many", "[{\"rate\": \"\(large)\"}, [\"JOBMILL_HANDLER\", \"JOBMILL_ZYGOTE\"]]"),
            ] {
                let id = try api.post(
                    "/v1/batches",
                    "{\"handler\": \"\(handler)\", \"jobs\": [1, 2], \"shared\": {\"rate\": \"\(large)\"}}",
                    [("Prefer", "wait=60")]
                ).object()["id"]
                let values = try api.get("/v1/batches/\(try #require(id as? String))/results?view=values").text
                #expect(values == "[\(expected),\(expected)]", "\(values.prefix(300))")
            }
            #expect(try api.post("/v1/map/many", "[1]").text == "[[null, [\"JOBMILL_HANDLER\", \"JOBMILL_ZYGOTE\"]]]")
        }
    }

    @Test func `commands that misbehave fail their own jobs`() throws {
        let once = """
            read -r what
            case $what in
                '"nan"') echo NaN ;;
                '"big"') yes 1 | head -c 2000000 ;;
                '"garbage"') printf '\\377\\000\\001' ;;
                '"leaves"') exit 4 ;;
                '"dies"') kill -9 $$ ;;
                '"forks"') sleep 1000 & echo 1 ;;
                '"closes"') exec 0<&- 1>&- 2>&- ;;
                *) echo 1 ;;
            esac
            """
        let many = """
            import json, os, sys, time
            for line in sys.stdin:
                job = json.loads(line)
                what = job["payload"]
                answer = {"id": job["id"], "result": 1}
                if what == "nan": answer["result"] = float("nan")
                if what == "big": answer["result"] = "x" * 2000000
                if what == "garbage": os.write(1, bytes([255, 0, 1, 10]))
                if what == "prints": print("hello")
                if what == "both": answer["error"] = {"message": "no"}
                if what == "leaves": sys.exit(4)
                if what == "dies": os.kill(os.getpid(), 9)
                if what == "forks" and os.fork() == 0: os.closerange(0, 3); time.sleep(1000)
                if what == "closes": os.close(1); time.sleep(1000)
                print(json.dumps(answer), flush=True)
            """
        let yaml = """
            handlers:
              once: {exec: sh once.sh, folder: ., output: 1MiB}
              many: {lines: /usr/bin/python3 many.py, folder: ., output: 1MiB}
            """
        let common = [
            "nan": "invalid_result", "big": "output_limit", "garbage": "invalid_result", "leaves": "exception",
            "dies": "exception", "forks": nil,
        ]
        let cases = [
            "once": common.merging(["closes": nil]) { $1 },
            "many": common.merging(["closes": "exception", "prints": "invalid_result", "both": "invalid_result"]) {
                $1
            },
        ]
        try withHandlers(yaml, files: ["once.sh": once, "many.py": many]) { api in
            for (handler, kinds) in cases {
                for (what, kind) in kinds {
                    let batch = """
                        {"handler": "\(handler)", "jobs": [1, "\(what)", 2], "max_attempts": 1, "chunk_size": 3}
                        """
                    let id = try api.post("/v1/batches", batch, [("Prefer", "wait=60")]).object()["id"]
                    let jobs = try api.get("/v1/batches/\(try #require(id as? String))/results").lines()
                    let errors = jobs.map { ($0["error"] as? [String: Any])?["kind"] as? String }
                    #expect(errors == [nil, kind, nil], "\(handler) \(what)")
                }
            }
        }
    }

    @Test func `Python that misbehaves fails its own job`() throws {
        let module = """
            import os, sys, time

            def double(x): return 2 * x
            def nan(x): return float("nan")
            def a_set(x): return {1}
            def some_bytes(x): return b"x"
            def leaves(x): sys.exit(4)
            def vanishes(x): os._exit(4)
            def forks(x): os.fork(); return x
            def closes(x): os.closerange(0, 65536); time.sleep(0.05); return x
            def garbage(x):
                for number in map(int, os.listdir("/proc/self/fd")):
                    try: number > 2 and os.write(number, b"garbage" * 100)
                    except OSError: pass
                return x
            def big(x): return "x" * 2_000_000
            def huge(x): return {"number": 10 ** x, "text": '"[' * 600}
            def deep(x): return [deep(x - 1)] if x else {}
            def circle(x):
                around = ["x" * 1_000_000]
                if x: around.append(around)
                return around
            """
        let names = [
            "double", "nan", "a_set", "some_bytes", "leaves", "vanishes", "forks", "closes", "garbage", "big", "huge",
            "deep", "circle",
        ]
        let yaml = names.map { "  \($0): {python: \"bad:\($0)\", folder: ., output: 1MiB}\n" }.joined()
        try withHandlers("handlers:\n" + yaml, files: ["bad.py": module]) { api in
            for name in ["nan", "a_set", "some_bytes", "circle"] {
                #expect(try error(api, name, "1")["kind"] as? String == "invalid_result", "\(name)")
            }
            #expect(try error(api, "big", "1")["kind"] as? String == "output_limit")
            #expect(try error(api, "leaves", "1")["type"] as? String == "SystemExit")
            #expect(try error(api, "vanishes", "1")["exit_code"] as? Int == 4)
            _ = try error(api, "closes", "1")
            for name in ["forks", "garbage"] {
                let job = #"{"handler": "\#(name)", "payload": 1, "max_attempts": 1}"#
                let answer = try api.post("/v1/jobs", job, [("Prefer", "wait=60")])
                #expect(answer.status == 200, "\(name): \(answer.text)")
            }
            #expect(try api.post("/v1/map/double", "[1,2,3]").text == "[2,4,6]")
            // What Python's JSON may be, and the server's not: neighbours keep their results.
            for (name, payload) in [("huge", "400"), ("deep", "600")] {
                let batch =
                    #"{"handler": "\#(name)", "jobs": [1, \#(payload), 300], "max_attempts": 1, "chunk_size": 3}"#
                let id = try #require(
                    try api.post("/v1/batches", batch, [("Prefer", "wait=60")]).object()["id"] as? String)
                let jobs = try api.get("/v1/batches/\(id)/results").lines()
                let kinds = jobs.map { ($0["error"] as? [String: Any])?["kind"] as? String }
                #expect(kinds == [nil, "invalid_result", nil], "\(name)")
            }
        }
    }

    @Test func `what cannot be prepared is told, and the others work`() throws {
        let yaml = """
            handlers:
              gone: {python: "nowhere:f", folder: .}
              absent: {python: "here:g", folder: .}
              fine: {python: "here:f", folder: .}
            """
        try withHandlers(yaml, files: ["here.py": "def f(x): return x\n"]) { api in
            #expect(try api.post("/v1/map/fine", "[5]").text == "[5]")
            try Eventually.isTrue(within: 60) {
                let list = try api.get("/v1/handlers").object()["handlers"] as? [[String: Any]] ?? []
                let reasons = Dictionary(
                    uniqueKeysWithValues: list.map { ($0["name"] as? String ?? "", $0["reason"] as? String ?? "") })
                return reasons["gone"]?.contains("nowhere") == true && reasons["absent"]?.contains("g") == true
                    && reasons["fine"] == ""
            }
            for name in ["gone", "absent"] {
                let answer = try api.post("/v1/jobs", #"{"handler": "\#(name)", "payload": 1}"#)
                #expect(answer.status == 503)
                #expect(answer.header("Retry-After") != nil)
            }
        }
    }

    @Test func `limits of a handler are told apart`() throws {
        let module = """
            import time

            def spin(x):
                while True: pass
            def grow(x):
                held = []
                while True:
                    held.append(bytearray(10_000_000)); time.sleep(0.01)
            def hang(x): time.sleep(1000)
            """
        let yaml = """
            handlers:
              spin: {python: "hungry:spin", folder: ., cpu: 1}
              grow: {python: "hungry:grow", folder: ., memory: 100MiB}
              hang2: {python: "hungry:hang", folder: ., timeout: 300ms}
              exec_spin: {exec: "sh -c 'while :; do :; done'", cpu: 1}
              lines_spin: {lines: "sh -c 'read -r job; while :; do :; done'", cpu: 1}
            """
        try withHandlers(yaml, files: ["hungry.py": module]) { api in
            let kinds = [
                ("spin", "cpu_limit"), ("grow", "memory_limit"), ("hang2", "timeout"), ("exec_spin", "cpu_limit"),
                ("lines_spin", "cpu_limit"),
            ]
            for (handler, kind) in kinds {
                let failure = try error(api, handler, "1")
                #expect(failure["kind"] as? String == kind, "\(failure)")
                let certificate = try #require(failure["certificate"] as? [String: Any])
                #expect((certificate["wall_seconds"] as? Double ?? 0) > 0)
            }
        }
    }
}
