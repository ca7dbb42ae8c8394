import JSONBytes
import Testing

@testable import Jobmill

/// What the service says, as a person reads it.
@Suite struct ViewTests {
    private func json(_ text: String) throws -> JSON { try JSON(validating: Array(text.utf8)) }

    private static let batch = """
        {"id":"bat_1","handler":"square","status":"completed","counts":{"total":25,"pending":0,"running":0,"succeeded":24,\
        "failed":1,"cancelled":0,"expired":0},"created_at":"C","started_at":null,"finished_at":"F","new":1}
        """

    @Test func aBatchIsATable() throws {
        let view = try BatchView(answer: json(Self.batch))
        #expect(view.isFinished)
        #expect(!view.allSucceeded)
        #expect(view.counts.finished == 25)
        #expect(view.summary == "bat_1 completed: 24 succeeded, 1 failed")
        #expect(
            view.lines == [
                "bat_1", "  handler   square", "  status    completed", "  jobs      25: 24 succeeded, 1 failed",
                "  created   C", "  finished  F",
            ])
    }

    @Test(arguments: ["null", "[]", "{}", #"{"id":1,"handler":"x","status":"queued","counts":{"total":1}}"#])
    func somethingElseIsNoBatch(text: String) throws {
        #expect(throws: ClientFailure.unexpectedAnswer("batch")) { try BatchView(answer: json(text)) }
        #expect(JobView.lines(try json(text).value) == nil)
    }

    @Test func aJobIsATable() throws {
        let text = """
            {"id":"job_1_0","batch":"bat_1","index":0,"handler":"fail","status":"failed","payload":{"a":1},
            "error":{"kind":"exception","message":"no"},"attempts":[{"number":1,"error":{"kind":"timeout","message":"late"}}],
            "created_at":"C"}
            """
        #expect(
            JobView.lines(try json(text).value) == [
                "job_1_0", "  handler    fail", "  status     failed", "  payload    {\"a\":1}",
                "  error      exception: no", "  attempt 1  timeout: late", "  created    C",
            ])
    }

    @Test func countersStandWithTheirBatch() throws {
        let text = Self.batch.replacing("\"new\":1", with: "\"counters\":{\"rows\":7,\"bytes\":-1}")
        let lines = try BatchView(answer: json(text)).lines
        #expect(lines[4...5] == ["  rows      7", "  bytes     -1"])
    }

    @Test func aJobShowsHowFarItIsHowItDiedAndWhatItSaid() throws {
        let text = """
            {"id":"j","handler":"h","status":"running","payload":1,"progress":{"fraction":0.375,"message":"on it"},
            "attempts":[{"number":1,"error":{"kind":"signal","message":"killed","signal":"SIGSEGV","certificate":{"pid":7,
            "cpu_seconds":0.25,"peak_resident_bytes":10485760,"wall_seconds":1.5,"stderr":"first\\nlast words\\n"}}}],
            "logs":[{"time":"T","source":"info","text":"one","attempt":1},{"time":"U","source":"stdout","text":"\\u0007","attempt":2}],
            "logs_dropped":3,"created_at":"C"}
            """
        #expect(
            JobView.lines(try json(text).value) == [
                "j", "  handler    h", "  status     running", "  payload    1", "  progress   37 %, on it",
                "  attempt 1  signal: killed",
                "             pid 7, SIGSEGV, 1.5 s, 0.25 s of CPU, 10 MiB, said: last words", "  created    C",
                "  T  info  one", "  U  stdout  \u{FFFD}", "  and 3 more lines that were not kept",
            ])
    }

    @Test func thePoolIsATable() throws {
        let text = """
            {"size":4,"workers":[{"pid":12,"runtime":"swift","state":"busy","handler":"square","job":"job_1_0","since":0.25,
            "resident_bytes":20971520,"jobs":1234,"age":3600.5},{"pid":null,"runtime":"swift","state":"starting","handler":null,
            "job":null,"since":0,"resident_bytes":null,"jobs":0,"age":0}],
            "runtimes":[{"name":"swift","state":"ready","pid":11,"handlers":["square"],"reason":null},
            {"name":"model","state":"unhealthy","pid":null,"handlers":["predict"],"reason":"no such file"}]}
            """
        #expect(
            PoolView.lines(try json(text).value) == [
                "size 4, 2 workers", "runtime swift  ready", "runtime model  unhealthy: no such file",
                "PID  RUNTIME  STATE     SINCE  JOBS  MEMORY  AGE     JOB",
                "12   swift    busy      0.2 s  1234  20 MiB  3600 s  job_1_0",
                "-    swift    starting  0.0 s  0     -       0.0 s",
            ])
        #expect(PoolView.lines(JSON.null.value) == nil)
    }

    @Test func longValuesAndControlCharactersAreTamed() throws {
        let long = String(repeating: "x", count: 1000)
        let lines = try #require(
            JobView.lines(
                try json(
                    #"{"id":"j","handler":"h","status":"succeeded","payload":"\#(long)","result":"\#(long)"}"#
                ).value))
        #expect(lines.allSatisfy { $0.count < 250 })
        #expect(lines[3].hasSuffix("…"))
        #expect(
            JobView.reason(of: try json(#"{"kind":"a","message":"b\u001b[31m\nc"}"#).value)
                == "a: b\u{FFFD}[31m\u{FFFD}c")
        #expect(JobView.reason(of: nil) == "unknown: no message")
    }

    @Test func handlersStandInColumns() throws {
        let answer = try json(
            #"{"handlers":[{"name":"echo","runtime":"swift","healthy":true,"reload_problem":"no file"},{"name":"resize","runtime":"python","healthy":false,"reason":"no module"}]}"#
        )
        #expect(
            HandlersCommand.lines(answer.value) == [
                "echo    swift  (could not be reloaded: no file)", "resize  python  (cannot run now: no module)",
            ])
        #expect(HandlersCommand.lines(JSON.null.value) == nil)
    }

    @Test func aProblemNamesEverythingThatIsWrong() {
        let body = """
            {"type":"/problems/invalid","title":"The request is not valid","status":422,"detail":"Two things are wrong.","errors":[
            {"detail":"is no handler","pointer":"/handler"},{"detail":"must be a number","parameter":"limit"},
            {"detail":"must be an object","pointer":""}],"handlers":["echo","square"]}
            """
        #expect(
            ProblemText.lines(status: 422, body: Array(body.utf8)) == [
                "jobmill: The request is not valid (422): Two things are wrong.", "  /handler: is no handler",
                "  limit: must be a number", "  the body: must be an object", "Handlers of this service: echo, square",
            ])
    }

    @Test(arguments: ["", "<html>", "[]", "{}", #"{"title":1}"#])
    func otherErrorsAreNoProblem(body: String) {
        #expect(
            ProblemText.lines(status: 502, body: Array(body.utf8)) == [
                "jobmill: the server answered 502 without saying why; is it a Jobmill service?"
            ])
    }
}
