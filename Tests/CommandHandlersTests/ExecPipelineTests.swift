import Glibc
import JobModel
import Testing

@testable import CommandHandlers

struct ExecPipelineTests {
    private func shell(_ script: String, maximumResultBytes: Int = 1 << 20) throws -> Trial {
        try Trial(.exec, "/bin/sh -c '\(script)'", maximumResultBytes: maximumResultBytes)
    }

    @Test func payloadInResultOut() throws {
        let trial = try Trial(.exec, "cat")
        #expect(try trial.run([#"{"a": [1, 2]}"#, "null"]) == [.result(#"{"a": [1, 2]}"#), .result("null")])
        #expect(try shell("cat; echo; echo").run("\"ä\"") == .result("\"ä\""))
        #expect(try shell("printf \"[1,\\n2]\"").run("0") == .result("[1, 2]"))
    }

    @Test func noOutputIsNull() throws {
        #expect(try Trial(.exec, "true").run("1") == .result("null"))
        #expect(try shell("echo").run("1") == .result("null"))
    }

    @Test func exitStatusDecides() throws {
        let failure = try #require(try shell("echo 1; echo one >&2; echo two >&2; exit 3").run("1").failure)
        #expect(failure.kind == .exception && failure.type == "ExitStatus")
        #expect(failure.message == "exited with status 3: two")
        #expect(failure.traceback == "one\ntwo\n")
        #expect(try shell("exit 1").run("1").failure?.message == "exited with status 1")
    }

    @Test func signals() throws {
        let failure = try #require(try shell("echo gone >&2; kill -TERM $$").run("1").failure)
        #expect(failure.type == "Signal" && failure.message == "killed by SIGTERM: gone")
        // Without a limit it is a signal like any other.
        #expect(try shell("kill -XCPU $$").run("1").failure?.message == "killed by SIGXCPU")
    }

    @Test func onlyTheTailOfStandardErrorIsKept() throws {
        let failure = try #require(
            try shell("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1").run("1").failure)
        let tail = try #require(failure.traceback)
        #expect(tail.utf8.count == ErrorTail.limit && tail.hasSuffix("line 1999\n"))
    }

    @Test(arguments: ["hello", "1 2", "{\"a\": NaN}", "[1"])
    func garbage(text: String) throws {
        let failure = try #require(try Trial(.exec, "printf '%s' '\(text)'").run("1").failure)
        #expect(failure.kind == .invalidResult)
        #expect(failure.message.contains("not one JSON value"))
    }

    @Test func muchOutputIsCutOff() throws {
        let failure = try #require(try shell("yes 1", maximumResultBytes: 100_000).run("1").failure)
        #expect(failure.kind == .outputLimit && failure.message.contains("100000"))
    }

    @Test func muchInAndMuchOutAtOnce() throws {
        let payload = "\"" + String(repeating: "x", count: 3_000_000) + "\""
        #expect(try Trial(.exec, "cat", maximumResultBytes: 1 << 30).run(payload) == .result(payload))
    }

    @Test func aCommandThatDoesNotReadIsNoError() throws {
        let payload = "\"" + String(repeating: "x", count: 1_000_000) + "\""
        #expect(try shell("echo 7").run(payload) == .result("7"))
        #expect(try shell("exec <&-; sleep 0.05; echo 7").run(payload) == .result("7"))
    }

    @Test func whatStaysInTheBackgroundHoldsNobodyUp() throws {
        // It holds all three streams. The trial does not end it, so it does so itself.
        let trial = try shell("sleep 5 & echo 7")
        let begin = time(nil)
        #expect(try trial.run("1") == .result("7"))
        #expect(time(nil) - begin < 4)
    }

    @Test func environment() throws {
        let trial = try Trial(
            .exec,
            "/bin/sh -c 'echo \"[\\\"$JOBMILL_HANDLER $JOBMILL_JOB $JOBMILL_BATCH $JOBMILL_INDEX $JOBMILL_ATTEMPT\\\", \\\"$JOBMILL_DEADLINE\\\", \\\"$MINE\\\", \\\"$PWD\\\"]\"'",
            environment: ["MINE": "a b"], folder: "/usr")
        #expect(
            try trial.run(["1"], first: 5) == [
                .result("[\"work job_\(Trial.batch.ulid)_5 bat_\(Trial.batch.ulid) 5 1\", \"\", \"a b\", \"/usr\"]")
            ])
    }

    @Test func inheritsNothingButItsStreams() throws {
        #expect(try shell("echo \\\"$(ls /proc/self/fd | tr \"\\n\" \" \")\\\"").run("1") == .result("\"0 1 2 3 \""))
        let status = try shell(
            "echo \\\"$(grep -E \"SigBlk|SigIgn\" /proc/$$/status | cut -f2 | sort -u | tr \"\\n\" \" \")\\\"")
        guard case .result(let text) = try status.run("1") else {
            Issue.record("there is no result")
            return
        }
        // The signals 32 and 33 belong to the C library, which lets nobody change what it inherits of them.
        let masks = text.split { !$0.isHexDigit }.compactMap { UInt64($0, radix: 16) }
        #expect(!masks.isEmpty && masks.allSatisfy { $0 & ~(3 << 31) == 0 }, "\(text)")
    }

    @Test func aProgramThatWentAwayFailsItsJob() throws {
        let folder = try TemporaryFolder()
        try folder.write("#!/bin/sh\necho 1\n", to: "tool", mode: 0o755)
        let trial = try Trial(.exec, "\(folder.path)/tool")
        #expect(try trial.run("1") == .result("1"))
        unlink("\(folder.path)/tool")
        let failure = try #require(try trial.run("1").failure)
        #expect(failure.type == "StartFailed" && failure.message.contains("No such file"))
    }
}
