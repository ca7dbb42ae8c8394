import Glibc
import JobModel
import Logging
import Synchronization
import Testing

@testable import WorkerKit

@Suite struct HandlerTests {
    private let context = JobContext(batch: BatchID(ULID(high: 1, low: 2)), index: 3, attempt: 1)

    /// The result's text, or the failure.
    private func run(_ handler: Handler, _ payload: String) -> Result<String, Failed> {
        var buffer = ResultBuffer()
        var failure: Failure?
        do {
            let runnable = try handler.prepared().runnable().runner()
            try Array(payload.utf8).withUnsafeBytes { try runnable.run($0, into: &buffer, context) }
        } catch {
            failure = Failure(thrown: error)
        }
        return failure.map { .failure(Failed(failure: $0)) } ?? .success(String(decoding: buffer.text, as: UTF8.self))
    }

    private struct Failed: Error {
        let failure: Failure
    }

    private func failure(_ handler: Handler, _ payload: String) -> Failure? {
        if case .failure(let failed) = run(handler, payload) { failed.failure } else { nil }
    }

    private func double<Value: Codable & SendableMetatype>(_: Value.Type) -> Handler {
        Handler("same") { (value: Value, _: JobContext) -> [Value] in [value, value] }
    }

    private func same<Value: Codable & SendableMetatype>(_: Value.Type) -> Handler {
        Handler("same") { (value: Value, _: JobContext) -> Value in value }
    }

    @Test func readsAndWritesScalars() throws {
        #expect(try run(same(Int.self), "-42").get() == "-42")
        #expect(try run(same(Double.self), "1.5").get() == "1.5")
        #expect(try run(same(Bool.self), "true").get() == "true")
        #expect(try run(same(String.self), "\"a\\n\\\"\\u00e4\"").get() == "\"a\\n\\\"ä\"")
    }

    @Test func readsAndWritesOtherTypes() throws {
        struct Point: Codable { var x: Int; var y: [String: Double?] }
        #expect(try run(same(Point.self), #"{"x":1,"y":{"a":2.5}}"#).get() == #"{"x":1,"y":{"a":2.5}}"#)
        #expect(try run(double(String.self), "\"a/b\"").get() == #"["a/b","a/b"]"#)
        #expect(try run(same(Int?.self), "null").get() == "null")
    }

    @Test func refusesPayloadsThatDoNotFit() {
        struct Point: Codable { var x: Int; var y: [Int] }
        #expect(
            failure(same(Int.self), "\"1\"")
                == Failure(kind: .exception, message: "the payload is not an integer", type: "DecodingError"))
        #expect(failure(same(Bool.self), "1")?.message == "the payload is not true or false")
        #expect(failure(same(Point.self), "{\"x\":1}")?.message == "the payload lacks /y")
        #expect(failure(same(Point.self), "{\"x\":1,\"y\":[0,\"a\"]}")?.message.contains(" at /y/1:") == true)
        #expect(failure(same(Point.self), "5")?.message.contains(" at the top:") == true)
    }

    @Test func refusesResultsThatAreNoJSON() {
        let infinite = Handler("infinite") { (_: Int, _: JobContext) -> Double in .infinity }
        #expect(failure(infinite, "1")?.kind == .invalidResult)
        let nested = Handler("nested") { (_: Int, _: JobContext) -> [Double] in [.nan] }
        #expect(failure(nested, "1")?.kind == .invalidResult)
        for text in ["", "1,2", "{", "nul", "01", "-", "1 2", "\"\u{7}\""] {
            let raw = Handler.bytes("raw") { _, result, _ in result.append(contentsOf: text.utf8) }
            #expect(failure(raw, "1")?.kind == .invalidResult, "\(text)")
        }
    }

    @Test func bytesHandlersSeeAndWriteText() throws {
        let echo = Handler.bytes("echo") { payload, result, _ in result.append(payload) }
        for text in ["0", "-7", "1.50", "\"a\"", "{\"a\": [1, 2]}"] { #expect(try run(echo, text).get() == text) }
        let lines = Handler.bytes("lines") { _, result, _ in
            result.append(contentsOf: "[1,\r\n".utf8)
            result.append(integer: -2)
            result.append(UInt8(ascii: ","))
            result.append(string: "a\nb")
            result.append(UInt8(ascii: "]"))
        }
        #expect(try run(lines, "0").get() == "[1,  -2,\"a\\nb\"]", "one line, whatever the handler wrote")
    }

    @Test func whatIsThrownBecomesAFailure() {
        struct Odd: Error { let code = 5 }
        let plain = Handler("plain") { (_: Int, _: JobContext) -> Int in throw JobError("no luck") }
        #expect(failure(plain, "1") == Failure(kind: .exception, message: "no luck", type: "JobError"))
        let typed = Handler("typed") { (_: Int, _: JobContext) -> Int in throw JobError("no", type: "Luck") }
        #expect(failure(typed, "1")?.type == "Luck")
        let odd = Handler("odd") { (_: Int, _: JobContext) -> Int in throw Odd() }
        #expect(failure(odd, "1")?.message == "Odd(code: 5)")
        #expect(failure(odd, "1")?.type?.hasSuffix("Odd") == true)
        let late = Handler.bytes("late") { _, result, _ in
            result.append(integer: 1)
            throw JobError("after all")
        }
        #expect(failure(late, "1")?.message == "after all")
    }

    /// A class, so that who has it can be told; not Sendable.
    private final class Model {
        var uses = 0
    }

    @Test func stepsHandOnWhatTheyMake() throws {
        let both = Handler("both", prepare: { [1, 2, 3] }, worker: { $0.map(String.init) }) {
            (index: Int, state: [String], _) in state[index]
        }
        #expect(try run(both, "1").get() == "\"2\"")
        #expect(both.hasPreparation)
        let shared = Handler("shared", prepare: { Model() }) { (step: Int, model: Model, _) -> Int in
            model.uses += step
            return model.uses
        }
        #expect(try run(shared, "4").get() == "4")
        let own = Handler("own", worker: { Model() }) { (step: Int, model: Model, _) -> Int in
            model.uses += step
            return model.uses
        }
        #expect(own.hasPreparation)
        let runnable = try own.prepared().runnable().runner()
        var buffer = ResultBuffer()
        for expected in ["2", "4"] {
            try Array("2".utf8).withUnsafeBytes { try runnable.run($0, into: &buffer, context) }
            #expect(String(decoding: buffer.text, as: UTF8.self) == expected, "the state stays from job to job")
        }
        let raw = Handler.bytes("raw", prepare: { "[" }, worker: { $0 + "1" }) { payload, result, state, _ in
            result.append(contentsOf: state.utf8)
            result.append(UInt8(ascii: ","))
            result.append(payload)
            result.append(UInt8(ascii: "]"))
        }
        #expect(try run(raw, "7").get() == "[1,7]")
        #expect(!DemoHandlers.echo.hasPreparation)
    }

    @Test func stepsRunOnceForAllJobsAndOnceForEachWorker() throws {
        let counts = Mutex<(prepared: Int, workers: Int)>((0, 0))
        let handler = Handler(
            "count", prepare: { counts.withLock { $0.prepared += 1 } }, worker: { counts.withLock { $0.workers += 1 } }
        ) { (payload: Int, _: Void, _) in payload }
        #expect(counts.withLock { $0 == (0, 0) }, "nothing happens before it is asked for")
        let prepared = try handler.prepared()
        #expect(counts.withLock { $0 == (1, 0) })
        for _ in 0..<2 {
            let runnable = try prepared.runnable().runner()
            var buffer = ResultBuffer()
            for _ in 0..<3 { try Array("2".utf8).withUnsafeBytes { try runnable.run($0, into: &buffer, context) } }
        }
        #expect(counts.withLock { $0 == (1, 2) })
    }

    @Test func stepsThatFailAreNamed() throws {
        let first = Handler("first", prepare: { () throws -> Int in throw JobError("no model") }) {
            (payload: Int, _: Int, _) in payload
        }
        #expect(failure(first, "1")?.message == "the preparation of first failed: no model")
        let second = Handler("second", worker: { () throws -> Int in throw JobError("no connection") }) {
            (payload: Int, _: Int, _) in payload
        }
        #expect(failure(second, "1")?.message == "the worker step of second failed: no connection")
    }

    @Test func contextsOutsideOfAWorkerDoNothing() throws {
        context.add(to: "pages")
        context.report(progress: 0.5, message: "half")
        context.logger.error("nobody hears this")
        #expect(context.remainingSeconds == nil)
        #expect(context.deadline == nil)
        #expect(!context.isCancelled)
        #expect(context.sharedBytes == nil)
        #expect(throws: JobError.self) { try context.shared(as: Int.self) }
    }

    @Test func contextNamesTheJob() {
        #expect(context.batchID == "bat_\(ULID(high: 1, low: 2))")
        #expect(context.jobID == "job_\(ULID(high: 1, low: 2))_3")
        #expect(context.index == 3)
        #expect(context.attempt == 1)
    }

    @Test func squaresNumbers() throws {
        #expect(try run(DemoHandlers.square, "-12").get() == "144")
        #expect(try run(DemoHandlers.square, "1.5").get() == "2.25")
        #expect(failure(DemoHandlers.square, "3037000500")?.type == "Overflow")
        #expect(failure(DemoHandlers.square, "1e200")?.type == "Overflow")
        #expect(failure(DemoHandlers.square, "[2]")?.type == "DecodingError")
    }

    @Test func theOtherDemosDoWhatTheySay() throws {
        #expect(try run(DemoHandlers.echo, "[1, 2]").get() == "[1, 2]")
        #expect(try run(DemoHandlers.sleep, "0.001").get() == "0.001")
        #expect(failure(DemoHandlers.sleep, "-1") != nil)
        #expect(failure(DemoHandlers.fail, "\"so\"") == Failure(kind: .exception, message: "so", type: "DemoFailure"))
        #expect(failure(DemoHandlers.fail, "null")?.message == "failed on demand")
        #expect(try run(DemoHandlers.allocate, "1000000").get() == "1000000")
        #expect(failure(DemoHandlers.allocate, "-1") != nil)
        #expect(failure(DemoHandlers.crash, "\"NOSUCH\"")?.message == "there is no signal NOSUCH")
        #expect(failure(DemoHandlers.crash, "0") != nil)
    }
}

extension RunnableHandler {
    fileprivate func runner() throws -> JobRunner {
        guard case .single(let runner) = work else { throw JobError("a pipeline") }
        return runner
    }
}
