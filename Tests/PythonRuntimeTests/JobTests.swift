import Foundation
import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

@Suite struct JobTests {
    private static let functions = """
        import asyncio, json, os, sys, time

        def square(x): return x * x
        def add(a, b=1, *, context): return [a + b, context.index]
        def second(x, job): return [x, job.index]
        def count(n):
            for i in range(n):
                yield i / n
            yield "nearly"
            yield 0.9, "there"
            yield {"message": "now"}
            return n * 2
        async def later(x):
            await asyncio.sleep(0.001)
            return {"x": x}
        def load(text): return json.loads(text)
        def what(kind): return {
            "nan": float("nan"), "set": [{1}], "bytes": b"x", "surrogate": "\\ud800", "key": {(1, 2): 3},
            "long": "x" * 99, "float": 1.5, "text": "ä\\n", "none": None, "yes": True,
        }[kind]
        def leave(code): sys.exit(code)
        def gate(path):
            if path:
                # A recall is noticed within a millisecond or a job, whichever is longer.
                end = time.monotonic() + 0.005
                open(path, "w").close()
                while os.path.exists(path) or time.monotonic() < end: time.sleep(0.001)
            return bool(path)
        def fork(how):
            if os.fork() == 0:
                if how == "exit": sys.exit()
                return "child"
            os.wait()
            return "parent"
        def about(x, context):
            context.progress(0.5, "half")
            context.logger.warning("saw %s", x)
            context.add("seen")
            context.add("sum", x)
            return [
                context.job_id, context.batch_id, context.index, context.attempt, context.traceparent, context.shared,
                context.cancelled, context.remaining and context.remaining > 50,
            ]
        def shared(x, *, context):
            context.shared.append(x)
            return context.shared
        def order(n):
            names = ("name", "total", "a }{ \\"key\\" \\\\ %s", "é")
            values = ("é\\n{}", n, n / 4, n % 2 == 0) if n % 10 else ("", None, 1e300, [n, {"n": n}])
            if n % 25 == 24: values = (float("-inf"), n, 1, 2)
            if n % 3 == 0: return {"n": values[0], "1": n} if n % 2 else {n: values[1], None: n, "a": n}
            return dict(zip(names, values)) if n < 200 else {f"{n}{i}": i for i in range(50)}
        def order_text(n): return json.dumps(order(n), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        def confused(n):
            yield {"done": n}
        """

    private func worker(
        _ functions: [String], starmap: Set<String> = []
    ) throws -> (zygote: TestZygote, worker: TestWorker) {
        try TestZygote.worker(JobTests.functions, functions: functions, starmap: starmap)
    }

    @Test func outcomesComeInOrderAndPartsStayApart() throws {
        let (zygote, worker) = try worker(["square"])
        defer { withExtendedLifetime(zygote) {} }
        let course = try worker.run("square", [TestWorker.part(["1", "2"]), TestWorker.part(["3.5"], first: 7)])
        #expect(
            course.runs == [
                .succeeded(count: 2, body: Array("1,4".utf8)), .succeeded(count: 1, body: Array("12.25".utf8)),
            ])
        #expect(course.isDone)
        #expect(worker.page.runningJob() == nil)
        let many = (0..<100_000).map(String.init)
        #expect(try worker.run("square", many).finished == 100_000)
    }

    @Test func anExceptionIsItsJobsAlone() throws {
        let (zygote, worker) = try worker(["load", "square"])
        defer { withExtendedLifetime(zygote) {} }
        let course = try worker.run("load", [#""1""#, #""{""#, #""2""#])
        #expect(course.results == "[1,2]")
        let failure = try #require(course.failures.first)
        #expect(failure.kind == .exception)
        #expect(failure.type == "json.decoder.JSONDecodeError")
        #expect(failure.message.hasPrefix("Expecting property name"))
        let traceback = try #require(failure.traceback)
        #expect(
            traceback.hasPrefix(
                "Traceback (most recent call last):\n  File \"\(zygote.folder)/tasks.py\", line 16, in load"))
        #expect(traceback.hasSuffix("json.decoder.JSONDecodeError: \(failure.message)\n"))
        #expect(!traceback.contains("jobmill_runner"))
    }

    @Test func whatHasNotBegunOfARecalledChunkIsNotRun() throws {
        let (zygote, worker) = try worker(["gate"])
        let path = zygote.folder + "/gate"
        let id = try worker.send(
            "gate", [TestWorker.part(["null", "\"\(path)\"", "null"]), TestWorker.part(["null"], first: 9)])
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 30)
        while access(path, F_OK) != 0 {
            try #require(MonotonicTime.now() < deadline, "the second job does not begin")
            usleep(1000)
        }
        worker.page.recall(id)
        unlink(path)
        let course = try worker.course(of: id)
        #expect(course.results == "[false,true]")
        #expect(course.isDone)
        #expect(try worker.run("gate", ["null", "null"]).finished == 2)
    }

    @Test func exitsAndForksOfAJobEndNothingElse() throws {
        let (zygote, worker) = try worker(["leave", "fork"])
        defer { withExtendedLifetime(zygote) {} }
        let failures = try worker.run("leave", ["3"]).failures
        #expect(failures.map(\.type) == ["SystemExit"])
        #expect(failures.map(\.message) == ["the function called sys.exit(3)"])
        let course = try worker.run("fork", [#""return""#, #""exit""#, #""return""#])
        #expect(course.results == #"["parent","parent","parent"]"#)
        #expect(course.isDone)
    }

    @Test func whatIsNoJSONFailsItsJob() throws {
        let (zygote, worker) = try worker(["what"])
        defer { withExtendedLifetime(zygote) {} }
        let kinds = ["nan", "set", "text", "bytes", "surrogate", "float", "key", "none", "long", "yes"]
        let course = try worker.run(
            "what", kinds.map { "\"\($0)\"" }, limits: ChunkLimits(maximumResultBytes: 100))
        #expect(course.results == #"["ä\n",1.5,null,true]"#)
        #expect(
            course.failures.map(\.kind) == [
                .invalidResult, .invalidResult, .invalidResult, .invalidResult, .invalidResult, .outputLimit,
            ])
        let sentences = course.failures.map(\.message)
        #expect(sentences[0].hasPrefix("the result is no JSON: Out of range float values"))
        #expect(sentences[1] == "the result is no JSON: it holds a value of type set (make it a list)")
        #expect(sentences[2] == "the result is no JSON: it holds a value of type bytes (decode it, or use base64)")
        #expect(sentences[3].contains("surrogates not allowed"))
        #expect(sentences[5] == "the result has 101 bytes, 100 are allowed")
    }

    /// Something is compiled for dicts that come again and again. It makes what `json.dumps` makes.
    @Test func dictsOfTheSameKeysBecomeTheSameJSON() throws {
        let (zygote, worker) = try worker(["order", "order_text"])
        defer { withExtendedLifetime(zygote) {} }
        let numbers = (0..<1000).map(String.init)
        let orders = try worker.run("order", numbers)
        let texts = try worker.run("order_text", numbers)
        let decoded = try JSONDecoder().decode([String].self, from: Data(texts.results.utf8))
        #expect(orders.results == "[" + decoded.joined(separator: ",") + "]")
        #expect(orders.failures.count == texts.failures.count && orders.failures.count > 5)
        #expect(orders.failures.allSatisfy { $0.kind == .invalidResult && $0.message.contains("Out of range float") })
    }

    @Test func aPayloadThatPythonCannotTakeFailsAlone() throws {
        let (zygote, worker) = try worker(["square", "what"])
        defer { withExtendedLifetime(zygote) {} }
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let course = try worker.run("square", ["2", deep, "3"])
        #expect(course.results == "[4,9]")
        #expect(course.failures.map(\.type) == ["RecursionError"])
        // Cut into payloads one by one, as all of that part's are.
        let tricky = try worker.run("what", [#""n,o]""#, deep, #"{"a\"]":[1,{}]}"#, #""yes""#])
        #expect(tricky.results == "[true]")
        #expect(tricky.failures.map(\.type) == ["KeyError", "RecursionError", "TypeError"])
    }

    @Test func starmapSpreadsThePayload() throws {
        let (zygote, worker) = try worker(["add"], starmap: ["add"])
        defer { withExtendedLifetime(zygote) {} }
        let course = try worker.run("add", ["[1,2]", #"{"a":4}"#, "3", "[1,2,3]"])
        #expect(course.results == "[[3,0],[5,1]]")
        #expect(course.failures.map(\.type) == ["TypeError", "TypeError"])
    }

    @Test func generatorsReportProgress() throws {
        let (zygote, worker) = try worker(["count"])
        defer { withExtendedLifetime(zygote) {} }
        let course = try worker.run("count", ["2"])
        #expect(course.results == "[4]")
        // Of many reports at once the first and the last are sure to go out.
        #expect(course.progress.first == JobProgress(fraction: 0))
        #expect(course.progress.last == JobProgress(message: "now"))
    }

    @Test func progressOfAnUnknownFormIsToldApart() throws {
        let (zygote, worker) = try worker(["confused"])
        defer { withExtendedLifetime(zygote) {} }
        let failure = try #require(try worker.run("confused", ["2"]).failures.first)
        #expect(failure.type == "TypeError" && failure.message.hasSuffix("has yielded a dict with 'done'"))
    }

    @Test func coroutinesRunToTheirEnd() throws {
        let (zygote, worker) = try worker(["later"])
        defer { withExtendedLifetime(zygote) {} }
        #expect(try worker.run("later", ["1", "2"]).results == #"[{"x":1},{"x":2}]"#)
    }

    @Test func theContextTellsAndTakes() throws {
        let (zygote, worker) = try worker(["about"])
        defer { withExtendedLifetime(zygote) {} }
        let limits = ChunkLimits(timeout: 60, maximumResultBytes: 1 << 20)
        let course = try worker.run("about", [TestWorker.part(["5", "6"], first: 3)], limits: limits)
        let batch = TestWorker.batch
        let rows = [3, 4].map { index in
            #"["\#(JobID(batch: batch, index: index))","\#(batch)",\#(index),2,"00-1-2-01",null,false,true]"#
        }
        #expect(course.results == "[" + rows.joined(separator: ",") + "]")
        #expect(course.progress == Array(repeating: JobProgress(fraction: 0.5, message: "half"), count: 2))
        #expect(course.logged == ["0 warning: saw 5", "1 warning: saw 6"])
        #expect(course.counters == ["seen": 2, "sum": 11])
    }

    @Test func aSecondParameterIsTheContext() throws {
        let (zygote, worker) = try worker(["second"])
        defer { withExtendedLifetime(zygote) {} }
        #expect(try worker.run("second", ["5", "6"]).results == "[[5,0],[6,1]]")
    }

    @Test func aSharedValueIsDecodedOnce() throws {
        let (zygote, worker) = try worker(["shared"])
        defer { withExtendedLifetime(zygote) {} }
        let batches = (0..<5).map { BatchID(ULID(high: 9, low: UInt64($0))) }
        for batch in batches { try worker.send(SharedValue(batch: batch, bytes: Array("[0]".utf8))) }
        let last = try worker.run("shared", [TestWorker.part(["1", "2"], batch: batches[4])])
        #expect(last.results == "[[0,1],[0,1,2]]")
        #expect(try worker.run("shared", [TestWorker.part(["1"], batch: batches[1])]).results == "[[0,1]]")
        // A worker keeps four: the first has made room for the last.
        #expect(try worker.run("shared", [TestWorker.part(["1"], batch: batches[0])]).failures.count == 1)
    }

    @Test func anUnknownHandler() throws {
        let (zygote, worker) = try worker(["square"])
        defer { withExtendedLifetime(zygote) {} }
        #expect(try worker.run("gone", ["1", "2"]).failures.map(\.kind) == [.unknownHandler, .unknownHandler])
    }
}
