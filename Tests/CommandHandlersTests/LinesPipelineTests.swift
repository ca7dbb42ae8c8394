import Glibc
import JobModel
import Platform
import Testing

@testable import CommandHandlers

struct LinesPipelineTests {
    /// A command in Python, which can leave the protocol in every way.
    private func python(_ body: String, maximumResultBytes: Int = 1 << 20) throws -> Trial {
        let folder = try TemporaryFolder()
        let script = """
            import json, os, sys, time, signal
            def say(value):
                print(json.dumps(value), flush=True)
            \(body.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n"))
            """
        try folder.write(script, to: "work.py", mode: 0o644)
        return try Trial(
            .lines, "\(Trial.python) \(folder.path)/work.py", maximumResultBytes: maximumResultBytes, keeping: folder)
    }

    /// What a process does with each job.
    private func loop(_ body: String, maximumResultBytes: Int = 1 << 20) throws -> Trial {
        let indented = body.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        return try python(
            """
            for line in sys.stdin:
                job = json.loads(line)
                payload = job["payload"]
            \(indented)
            """, maximumResultBytes: maximumResultBytes)
    }

    @Test func oneProcessForManyJobs() throws {
        let trial = try loop(#"say({"result": [os.getpid(), payload]})"#)
        let outcomes = try trial.run((0..<20).map(String.init)) + trial.run(["\"last\""])
        #expect(Set(outcomes.map { "\($0)".split(separator: ",")[0] }).count == 1)
        #expect("\(outcomes[20])".contains("last"))
    }

    @Test(arguments: [false, true])
    func manyJobsKeepTheirOrder(namesJobs: Bool) throws {
        let trial = try loop(namesJobs ? #"say({"id": job["id"], "result": payload})"# : #"say({"result": payload})"#)
        let payloads = (0..<1500).map { "\"\(String(repeating: "x", count: $0 % 700))\($0)\"" }
        #expect(try trial.run(payloads) == payloads.map { .result($0) })
    }

    @Test func whatAJobIsToldOf() throws {
        let trial = try loop(#"say({"result": job})"#)
        #expect(
            try trial.run(["[1,\n2,\r\n 3]"], first: 4) == [
                .result(
                    #"{"id": "job_\#(Trial.batch.ulid)_4", "batch": "bat_\#(Trial.batch.ulid)", "index": 4, "attempt": 1, "timeout": null, "payload": [1, 2, 3]}"#
                )
            ])
    }

    @Test func errorsAreTheJobs() throws {
        let trial = try loop(
            #"say({"error": {"message": "no " + str(payload), "type": "Refusal", "traceback": "here"}})"#)
        #expect(
            try trial.run(["1", "2"]).map(\.bare) == [
                .failure(Failure(kind: .exception, message: "no 1", type: "Refusal", traceback: "here")),
                .failure(Failure(kind: .exception, message: "no 2", type: "Refusal", traceback: "here")),
            ])
    }

    @Test func signsInBetween() throws {
        let trial = try loop(
            """
            say({"progress": 0.5})
            say({"log": "on it", "level": "debug"})
            say({"count": {"rows": 1}})
            say({"result": payload})
            """)
        #expect(try trial.run(["1", "2", "3"]) == [.result("1"), .result("2"), .result("3")])
    }

    @Test(arguments: [false, true])
    func dyingInTheMiddleFailsOneJob(namesJobs: Bool) throws {
        let trial = try loop(
            """
            if payload == 3:
                print("first\\nlast words", file=sys.stderr)
                os._exit(9)
            if payload == 5:
                os.kill(os.getpid(), signal.SIGSEGV)
            say({"result": payload\(namesJobs ? #", "id": job["id"]"# : "")})
            """)
        let outcomes = try trial.run((0..<300).map(String.init))
        for (index, outcome) in outcomes.enumerated() where index != 3 && index != 5 {
            #expect(outcome == .result("\(index)"))
        }
        let exited = try #require(outcomes[3].failure)
        #expect(exited.message == "exited with status 9 in the middle of the job: last words")
        #expect(exited.type == "ExitStatus" && exited.traceback == "first\nlast words\n")
        #expect(outcomes[5].failure?.message == "killed by SIGSEGV in the middle of the job")
    }

    @Test func endingBetweenTwoJobsCostsNothing() throws {
        let trial = try python(
            """
            for _ in range(3):
                job = json.loads(sys.stdin.readline())
                say({"result": [os.getpid(), job["payload"]]})
            """)
        var outcomes = try trial.run((0..<7).map(String.init))
        outcomes += try trial.run(["7", "8", "9"])
        #expect(outcomes.allSatisfy { $0.failure == nil })
        #expect(Set(outcomes.map { "\($0)".split(separator: ",")[0] }).count == 4)
    }

    @Test func aCommandThatNeverAnswersFailsEachJob() throws {
        let trial = try Trial(.lines, "sh -c 'echo broken >&2; exit 2'")
        let outcomes = try trial.run(["1", "2"])
        #expect(outcomes.count == 2)
        #expect(outcomes[0].failure?.message == "exited with status 2 in the middle of the job: broken")
    }

    @Test(arguments: [
        (#"print("hello", flush=True)"#, "no JSON"),
        (#"say({"answer": 1})"#, "none of"),
        (#"os.write(1, b'{"result": 1}\n{"result": 2}\n')"#, "two outcomes"),
        (#"say({"result": payload, "id": "job_other"})"#, "whose turn it is not"),
        (#"os.close(1); time.sleep(60)"#, "closed its output"),
    ])
    func leavingTheProtocolFailsTheJob(body: String, words: String) throws {
        let trial = try loop("if payload != 1:\n    say({\"result\": os.getpid()})\nelse:\n    \(body)")
        let outcomes = try trial.run(["0", "1", "2"])
        #expect(outcomes.count == 3)
        #expect(outcomes[0].failure == nil && outcomes[2].failure == nil && outcomes[0] != outcomes[2])
        #expect(outcomes[1].failure?.message.contains(words) == true, "\(outcomes[1])")
    }

    @Test func aSecondOutcomeOfANamedJobHarmsNoOther() throws {
        let trial = try loop(
            """
            say({"result": payload, "id": job["id"]})
            if payload in (50, 120):
                say({"result": "again", "id": job["id"]})
            """)
        #expect(try trial.run((0..<200).map(String.init)) == (0..<200).map { .result("\($0)") })
    }

    @Test func tooLongALine() throws {
        let trial = try loop(
            """
            if payload == 1:
                sys.stdout.write('{"result": "')
                while True: sys.stdout.write("x" * 65536)
            say({"result": payload})
            """, maximumResultBytes: 200_000)
        let outcomes = try trial.run(["0", "1", "2"])
        #expect(outcomes[1].failure?.kind == .outputLimit)
        #expect(outcomes[0] == .result("0") && outcomes[2] == .result("2"))
    }

    @Test func largePayloadsAndResults() throws {
        let trial = try loop(#"say({"result": payload, "id": job["id"]})"#, maximumResultBytes: 1 << 24)
        let payloads = (0..<6).map { "\"" + String(repeating: "\($0)", count: 1_000_000) + "\"" }
        #expect(try trial.run(payloads) == payloads.map { .result($0) })
    }
}
