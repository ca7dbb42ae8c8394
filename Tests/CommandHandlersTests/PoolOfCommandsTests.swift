import JobModel
import Testing

@testable import CommandHandlers

/// Commands in real workers.
struct PoolOfCommandsTests {
    /// A process that names its jobs; `body` may do something else with one.
    private func python(_ body: String) -> [String] {
        let script = """
            import json, os, sys, time
            def say(value):
                print(json.dumps(value), flush=True)
            for line in sys.stdin:
                job = json.loads(line)
                payload = job["payload"]
                \(body)
                say({"id": job["id"], "result": payload})
            """
        return [Trial.python, "-c", script]
    }

    @Test func exec() throws {
        let pool = try TestPool(.exec, ["sh", "-c", "echo $JOBMILL_JOB >&2; test -n \"$JOBMILL_DEADLINE\" && cat"])
        let report = try pool.run(1, ["1", "\"two\""], timeout: 20)
        #expect(report.outcomes == [.result("1"), .result("\"two\"")])
        for index in 0..<2 {
            #expect(
                report.signs.contains { $0.hasSuffix(" stderr job_\(Trial.batch.ulid)_\(index)") }, "\(report.signs)")
        }
        #expect(try pool.run(2, ["1"]).outcomes.first?.failure?.type == "ExitStatus")
    }

    @Test func signs() throws {
        let pool = try TestPool(
            .lines,
            python(
                #"say({"progress": 0.5, "message": "half"}); say({"log": "hello", "level": "warning"}); say({"count": {"rows": 2}})"#
            ))
        let report = try pool.run(1, (0..<100).map(String.init))
        #expect(report.outcomes == (0..<100).map { .result("\($0)") })
        let rows = report.signs.filter { $0.hasPrefix("rows") }.compactMap { Int($0.dropFirst(5)) }
        #expect(rows.reduce(0, +) == 200)
        for index in 0..<100 {
            #expect(report.signs.contains("\(index) 0.5 half") && report.signs.contains("\(index) warning hello"))
        }
    }

    @Test func aTimeoutChargesTheJobThatRunsAndKillsTheCommand() throws {
        let folder = try TemporaryFolder()
        let pool = try TestPool(
            .lines,
            python(#"if payload == 3: open("\#(folder.path)/pid", "w").write(str(os.getpid())); time.sleep(1000)"#))
        // With the start of Python the first job takes long enough.
        _ = try pool.run(1, ["0"])
        let report = try pool.run(2, (0..<50).map(String.init), timeout: 1)
        #expect(report.outcomes == (0..<3).map { .result("\($0)") })
        guard case .interrupted(3, let failure) = report.end else { return #expect(Bool(false), "\(report)") }
        #expect(failure.kind == .timeout)
        #expect(ends(try #require(folder.read("pid").flatMap { Int32($0) })))
        #expect(try pool.run(3, ["7"]).outcomes == [.result("7")])
    }

    @Test func aCommandThatDiesCostsNoWorker() throws {
        let pool = try TestPool(.lines, python("if payload == 3: os._exit(4)"))
        let report = try pool.run(1, (0..<50).map(String.init))
        #expect(report.outcomes.count == 50 && report.outcomes[49] == .result("49"))
        #expect(report.outcomes[3].failure?.message == "exited with status 4 in the middle of the job")
        guard case .completed = report.end else { return #expect(Bool(false), "\(report)") }
    }

    @Test func certificatesTellOfTheCommand() throws {
        let script = """
            read payload; echo "words $$" >&2
            case $payload in 1) exit 3;; 2) kill -TERM $$;; 3) exec yes;; 4) echo nonsense;; esac
            """
        let exec = try TestPool(.exec, ["sh", "-c", script])
        let failures = try exec.run(1, ["1", "2", "3", "4"]).outcomes.compactMap(\.failure)
        #expect(failures.map(\.kind) == [.exception, .exception, .outputLimit, .invalidResult])
        #expect(failures.map { $0.death?.exitCode } == [3, nil, nil, 0])
        #expect(failures.map { $0.death?.signal } == [nil, "SIGTERM", "SIGKILL", nil])
        for failure in failures {
            let death = try #require(failure.death)
            #expect(death.standardError?.hasSuffix("words \(death.processID)\n") ?? false, "\(death)")
            #expect(death.peakResidentBytes > 100_000)
        }
    }

    @Test func certificatesTellOfTheJobThatALastingCommandHad() throws {
        let pool = try TestPool(
            .lines,
            python(
                """
                if payload == 4: os.kill(os.getpid(), 15)
                    if payload in (2, 3):
                        end = time.process_time() + 0.1 * payload
                        while time.process_time() < end: pass
                    if payload == 3:
                        say({"id": job["id"], "error": {"message": str(os.getpid())}})
                        continue
                """))
        let failures = try pool.run(1, ["1", "2", "3", "4"]).outcomes.compactMap(\.failure)
        try #require(failures.count == 2)
        let (refused, died) = (try #require(failures[0].death), try #require(failures[1].death))
        #expect(String(refused.processID) == failures[0].message)
        #expect(refused.cpuSeconds > 0.28 && refused.cpuSeconds < 0.45)
        #expect(refused.wallSeconds > 0.28)
        #expect(refused.peakResidentBytes > 1 << 20)
        #expect(refused.exitCode == nil && refused.signal == nil)
        #expect(died.processID == refused.processID)
        #expect(died.signal == "SIGTERM")
        #expect(died.cpuSeconds < 0.1)
    }
}
