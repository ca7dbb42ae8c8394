import Platform
import Testing
import WorkerKit

@Suite struct PreparationTests {
    private func problems(_ source: String, _ functions: [String]) throws -> [String: String] {
        let zygote = try TestZygote(source, functions: functions)
        guard case .ready(let problems) = try zygote.report() else { throw Silence() }
        return Dictionary(uniqueKeysWithValues: problems.map { ($0.name, $0.reason) })
    }

    /// The reason why nothing is prepared; the zygote is gone afterwards.
    private func failure(_ source: String?, module: String = "tasks") throws -> String {
        let zygote = try TestZygote(source, functions: ["run"], module: module)
        guard case .preparationFailed(let reason) = try zygote.report() else { throw Silence() }
        #expect(try zygote.report() == nil)
        #expect(try zygote.end()?.exitCode == 0)
        return reason
    }

    @Test func namesFunctionsThatCannotBeUsed() throws {
        let source = """
            number = 3
            def run(payload): pass
            def none(): pass
            def three(a, b, c): pass
            async def stream(payload): yield 1
            class Shop:
                @staticmethod
                def sell(payload): pass
            """
        let problems = try problems(
            source, ["run", "missing", "number", "none", "three", "stream", "Shop.sell", "Shop.buy"])
        #expect(
            problems == [
                "missing": "the module tasks has no missing",
                "number": "number of the module tasks is not callable",
                "none": "it cannot be called with a payload: too many positional arguments",
                "three": "it cannot be called with a payload: missing a required argument: 'c'",
                "stream": "it is an async generator, which has no result; use async def with context.progress",
                "Shop.buy": "the module tasks has no Shop.buy",
            ])
    }

    @Test func aModuleThatDoesNotImport() throws {
        #expect(try failure(nil, module: "nowhere").hasSuffix("ModuleNotFoundError: No module named 'nowhere'"))
        let reason = try failure("def load():\n    return 1 / 0\nload()\n")
        #expect(reason.hasPrefix("the module tasks cannot be prepared: ZeroDivisionError: division by zero\nTraceback"))
        #expect(reason.contains("tasks.py\", line 2, in load"))
        #expect(!reason.contains("importlib") && !reason.contains("jobmill_runner"))
        #expect(try failure("import sys; sys.exit(3)").contains("SystemExit: the function called sys.exit(3)"))
        #expect(try failure("raise ValueError('x' * 10_000)").utf8.count <= 2048)
    }

    @Test func aModuleThatStartsThreads() throws {
        let source = """
            import threading
            threading.Thread(target=threading.Event().wait, name="pinger", daemon=True).start()
            def run(payload): pass
            """
        #expect(try failure(source).contains("it has started threads (pinger); start them in an initializer"))
    }

    @Test func theFolderIsWhereTheModuleIsAndWhereItsFunctionsRun() throws {
        let source = """
            import os
            def run(payload): return [os.getcwd() == os.path.dirname(os.path.abspath(__file__)), open("tasks.py").read(9)]
            """
        let (zygote, worker) = try TestZygote.worker(source, functions: ["run"])
        defer { withExtendedLifetime(zygote) {} }
        #expect(try worker.run("run", ["0"]).results == #"[[true,"import os"]]"#)
    }

    @Test func theInitializerRunsInEachWorker() throws {
        let source = """
            import os
            made = []
            def load(): made.append(os.getpid())
            def run(payload): return made == [os.getpid()]
            """
        let (zygote, worker) = try TestZygote.worker(source, functions: ["run"], initializer: "load")
        #expect(try worker.run("run", ["0"]).results == "[true]")
        let second = try zygote.fork()
        #expect(try second.frame() == .ready)
        #expect(try second.run("run", ["0"]).results == "[true]")
    }

    @Test func anInitializerThatFails() throws {
        let source = """
            def load(): raise OSError("no model")
            def run(payload): pass
            """
        let zygote = try TestZygote(source, functions: ["run"], initializer: "load")
        #expect(try zygote.report() == .ready(problems: []))
        let worker = try zygote.fork()
        guard case .setupFailed(let reason) = try worker.frame() else { throw Silence() }
        #expect(reason.hasPrefix("the initializer load failed: OSError: no model\nTraceback"))
        #expect(try worker.frame() == nil)
        #expect(try zygote.exit().exitCode == 0)
    }
}
