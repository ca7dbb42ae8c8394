import Foundation
import JobModel
import Logging
import Platform
import PythonRuntime
import Testing
import WorkerPool

/// The runner and the pool, which know of each other by their protocol only.
@Suite struct PoolTests {
    private static let functions = """
        import json, os, sys, time
        loads = json.loads
        def decode(text, **options):
            # As a decoder that is written in C may do.
            if "poison" in str(text): os.kill(os.getpid(), 11)
            if "syrup" in str(text): time.sleep(600)
            return loads(text, **options)
        json.loads = decode
        def run(what, context):
            if what == "exit": os._exit(7)
            if what.startswith("regret"):
                print(what, file=sys.stderr)
                end = time.process_time() + 0.05
                while time.process_time() < end: pass
                raise ValueError(what)
            if what == "large": return "x" * (65 << 20)
            if what == "spend":
                memory = bytearray(200 << 20)
                print("a neighbour's", file=sys.stderr)
                end = time.process_time() + 0.5
                while time.process_time() < end: pass
            if what == "die":
                print("last words", end="", file=sys.stderr, flush=True)
                os._exit(7)
            if what == "garbage":
                for number in map(int, os.listdir("/proc/self/fd")):
                    try: number > 2 and os.write(number, b"garbage")
                    except OSError: pass
                time.sleep(60)
            if what == "close": os.closerange(0, 1000)
            if what == "say":
                print("a word")
                context.add("words")
            return what
        """

    private func withPool(
        _ definitions: [(name: String, function: String)], _ body: (Pool, Monitor<[ChunkEvent]>, String) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pool-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try PoolTests.functions.write(toFile: folder + "/tasks.py", atomically: false, encoding: .utf8)
        let handlers = try definitions.map { definition in
            PythonHandler(
                profile: HandlerProfile(name: definition.name),
                function: try PythonFunction(parsing: definition.function),
                folder: folder)
        }
        let runtimes = try PythonRuntime.runtimes(for: handlers).map { runtime in
            RuntimeDefinition(
                name: runtime.name, executable: runtime.executable, arguments: runtime.arguments,
                environment: runtime.environment, setup: runtime.setup, handlers: runtime.handlers)
        }
        let events = Monitor<[ChunkEvent]>([])
        let pool = Pool(
            configuration: PoolConfiguration(slots: 1, runtimes: runtimes),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { event in
            events.withLock { $0.append(event) }
            events.notifyAll()
        }
        try pool.start()
        defer { pool.stop() }
        try wait(events) { $0.contains(.slots(1)) ? () : nil }
        try body(pool, events, folder)
    }

    private func wait<Result>(_ events: Monitor<[ChunkEvent]>, for body: ([ChunkEvent]) -> Result?) throws -> Result {
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 60)
        let result: Result? = events.wait { events in
            if let result = body(events) { return .done(result) }
            return deadline <= .now() ? .done(nil) : .sleep(until: deadline)
        }
        return try #require(result)
    }

    /// Runs jobs as one chunk and returns what was heard of it, up to its end.
    private func run(
        _ id: UInt64, _ jobs: [String], _ pool: Pool, _ events: Monitor<[ChunkEvent]>
    ) throws -> (finished: Int, end: ChunkEnd, others: [ChunkEvent]) {
        events.withLock { $0 = [] }
        pool.run(
            Chunk(id: id, handler: "run", timeout: nil, parts: [TestWorker.part(jobs.map { "\"\($0)\"" })]))
        return try wait(events) { all in
            var finished = 0
            for event in all {
                if case .outcomes(id, _, let runs) = event { finished += runs.reduce(0) { $0 + $1.count } }
                if case .ended(id, let end) = event { return (finished, end, all) }
            }
            return nil
        }
    }

    @Test func jobsRunAndOnlyTheCulpritIsCharged() throws {
        try withPool([("run", "tasks:run")]) { pool, events, _ in
            let course = try run(1, ["a", "say"], pool, events)
            #expect(course.finished == 2)
            guard case .completed = course.end else { throw Silence() }
            #expect(
                course.others.contains {
                    if case .counted(1, _, [CounterDelta(name: "words", amount: 1)]) = $0 { true } else { false }
                })
            for (id, what) in [(UInt64(2), "exit"), (3, "garbage")] {
                let course = try run(id, ["a", what, "b"], pool, events)
                #expect(course.finished == 1)
                guard case .interrupted(1, let failure) = course.end else { throw Silence() }
                #expect(failure.kind == (what == "exit" ? .exit : .signal))
            }
            // Whether it is charged with its own end or was done before that: the others are not.
            let closed = try run(4, ["a", "close", "b"], pool, events)
            #expect(closed.finished >= 1)
            if case .interrupted(let position, _) = closed.end { #expect(position == 1) }
            #expect(try run(5, ["a", "b"], pool, events).finished == 2)
        }
    }

    @Test func aCertificateTellsOfTheJobAlone() throws {
        try withPool([("run", "tasks:run")]) { pool, events, _ in
            guard case .interrupted(1, let failure) = try run(1, ["spend", "die"], pool, events).end,
                let death = failure.death
            else { throw Silence() }
            #expect(death.cpuSeconds >= 0 && death.cpuSeconds < 0.4)
            #expect(death.peakResidentBytes < 150 << 20)
            #expect(death.standardError == "last words")
        }
    }

    @Test func aFailureHasACertificateToo() throws {
        try withPool([("run", "tasks:run")]) { pool, events, _ in
            let course = try run(1, ["regret one", "regret two", "large"], pool, events)
            let failures = course.others.flatMap { event -> [Failure] in
                guard case .outcomes(1, _, let runs) = event else { return [] }
                return runs.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }
            }
            #expect(failures.map(\.kind) == [.exception, .exception, .outputLimit])
            #expect(failures.map { $0.death?.standardError } == ["regret one\n", "regret two\n", nil])
            for failure in failures.prefix(2) {
                let death = try #require(failure.death)
                #expect(death.processID > 1 && death.exitCode == nil && death.signal == nil)
                #expect(death.cpuSeconds > 0.04 && death.cpuSeconds < 0.15)
                #expect(death.wallSeconds > 0.03 && death.wallSeconds < 30)
                #expect(death.peakResidentBytes > 1 << 20)
            }
            #expect((failures.last?.death?.peakResidentBytes ?? 0) > 65 << 20)
        }
    }

    @Test func aPayloadThatKillsOrHangsTheDecoderIsLost() throws {
        try withPool([("run", "tasks:run")]) { pool, events, _ in
            for (id, what, words) in [(UInt64(1), "poison", "killed by SIGSEGV"), (2, "syrup", "within 5 s")] {
                let course = try run(id, [what], pool, events)
                #expect(course.finished == 0)
                guard case .lost(let failure) = course.end else { throw Silence() }
                #expect(failure.kind == .signal)
                #expect(failure.message.contains(words))
                #expect(failure.death != nil)
            }
            #expect(try run(3, ["a", "b"], pool, events).finished == 2)
        }
    }

    @Test func aFunctionThatIsAddedIsFoundWithoutDisturbingTheOthers() throws {
        try withPool([("run", "tasks:run"), ("later", "tasks:later")]) { pool, events, folder in
            try wait(events) { all in
                all.contains { if case .health(["later"], _?) = $0 { true } else { false } } ? () : nil
            }
            #expect(try run(1, ["a"], pool, events).finished == 1)
            let functions = PoolTests.functions + "\ndef later(value): return value\n"
            try functions.write(toFile: folder + "/tasks.py", atomically: true, encoding: .utf8)
            events.withLock { $0 = [] }
            try wait(events) { $0.contains(.health(handlers: ["later"], nil)) ? () : nil }
            events.withLock { $0 = [] }
            pool.run(Chunk(id: 2, handler: "later", timeout: nil, parts: [TestWorker.part(["7"])]))
            let end = try wait(events) { all in
                all.compactMap { if case .ended(2, let end) = $0 { end } else { nil } }.first
            }
            guard case .completed = end else { throw Silence() }
            #expect(try run(3, ["a"], pool, events).finished == 1)
        }
    }

    @Test func whatCannotRunIsUnhealthyAlone() throws {
        try withPool([("run", "tasks:run"), ("missing", "tasks:missing"), ("nowhere", "nowhere:run")]) {
            pool, events, _ in
            let reasons = ["missing": "the module tasks has no missing", "nowhere": "No module named 'nowhere'"]
            for (handler, reason) in reasons {
                try wait(events) { all in
                    for case .health(let handlers, let unhealthy?) in all where handlers == [handler] {
                        if unhealthy.reason.contains(reason) { return () }
                    }
                    return nil
                }
            }
            #expect(try run(1, ["a"], pool, events).finished == 1)
        }
    }
}
