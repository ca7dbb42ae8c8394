import JobModel
import Testing

@testable import CommandHandlers

struct CommandReplyTests {
    private func parse(_ line: String) throws -> CommandReply { try CommandReply(parsing: Array(line.utf8)) }

    private func outcome(_ line: String) throws -> CommandReply.Outcome {
        guard case .outcome(let outcome) = try parse(line) else { throw CommandReply.Fault(message: "no outcome") }
        return outcome
    }

    @Test(arguments: [
        (#"{"result": 3}"#, "3", nil), (#"{"result":null}"#, "null", nil),
        (" {\"id\": \"job_1\", \"result\": {\"a\":\r[1, 2]}}\r", "{\"a\": [1, 2]}", "\"job_1\""),
    ])
    func results(line: String, text: String, identifier: String?) throws {
        let outcome = try outcome(line)
        #expect(outcome.identifier.map { String(decoding: $0, as: UTF8.self) } == identifier)
        guard case .result(let bytes) = outcome.end else { return #expect(Bool(false)) }
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test func errors() throws {
        let outcome = try outcome(#"{"error": {"message": "no", "type": "Oops", "traceback": "line 1\nline 2"}}"#)
        guard case .error(let failure) = outcome.end else { return #expect(Bool(false)) }
        #expect(failure == Failure(kind: .exception, message: "no", type: "Oops", traceback: "line 1\nline 2"))
        guard case .error(let short) = try self.outcome(#"{"error": {"message": "no", "type": null}}"#).end else {
            return #expect(Bool(false))
        }
        #expect(short == Failure(kind: .exception, message: "no"))
    }

    @Test func signs() throws {
        func sign(_ line: String) throws -> CommandReply.Sign? {
            if case .sign(let sign) = try parse(line) { sign } else { nil }
        }
        #expect(
            try sign(#"{"progress": 0.5, "message": "half"}"#) == .progress(JobProgress(fraction: 0.5, message: "half"))
        )
        #expect(try sign(#"{"progress": null, "message": "on it"}"#) == .progress(JobProgress(message: "on it")))
        #expect(try sign(#"{"log": "hello"}"#) == .log(.info, "hello"))
        #expect(try sign(#"{"id": "x", "log": "hello", "level": "error"}"#) == .log(.error, "hello"))
        #expect(try sign(#"{"count": {"rows": 3}}"#) == .counts([CounterDelta(name: "rows", amount: 3)]))
    }

    @Test(arguments: [
        "hello", "", "3", "[]", "{}", #"{"result": 1, "error": {"message": "x"}}"#, #"{"result": NaN}"#,
        #"{"result": 1} x"#,
        #"{"error": "text"}"#, #"{"error": {}}"#, #"{"error": {"message": 1}}"#,
        #"{"error": {"message": "a", "code": 1}}"#,
        #"{"progress": 2}"#, #"{"progress": "a"}"#, #"{"progress": 1, "message": 2}"#, #"{"log": 1}"#,
        #"{"log": "a", "level": "loud"}"#, #"{"log": "a", "level": "stderr"}"#, #"{"count": 1}"#,
        #"{"count": {"a": 1.5}}"#,
        #"{"result": 1, "more": 2}"#, #"{"id": 1, "result": 1}"#, "{\"result\": \"\u{1}\"}",
    ])
    func faults(line: String) {
        #expect(throws: CommandReply.Fault.self) { try parse(line) }
    }

    @Test func aFaultSaysWhatIsWrong() {
        let error = #expect(throws: CommandReply.Fault.self) {
            try parse(#"{"error": {"message": "x"}, "result": 1}"#)
        }
        #expect(error?.message.hasPrefix(#"a line with both "result" and "error": "#) == true)
    }
}
