import JobModel
import Testing

@testable import PythonRuntime

@Suite struct PythonRuntimeTests {
    private func handler(
        _ name: String, _ function: String, interpreter: String = "python3", folder: String? = nil,
        initializer: String? = nil
    ) throws -> PythonHandler {
        PythonHandler(
            profile: HandlerProfile(name: name), function: try PythonFunction(parsing: function),
            interpreter: interpreter, folder: folder, initializer: initializer)
    }

    @Test func handlersOfOneModuleShareAProcess() throws {
        let runtimes = try PythonRuntime.runtimes(for: [
            handler("a", "tasks:a"), handler("b", "other:b"), handler("c", "tasks:c"),
        ])
        #expect(runtimes.map(\.name) == ["python:tasks", "python:other"])
        #expect(runtimes.map { $0.handlers.map(\.name) } == [["a", "c"], ["b"]])
    }

    @Test func interpreterFolderAndInitializerMakeAnotherOne() throws {
        let runtimes = try PythonRuntime.runtimes(for: [
            handler("a", "tasks:f"), handler("b", "tasks:f", interpreter: ".venv/bin/python"),
            handler("c", "tasks:f", folder: "/srv"), handler("d", "tasks:f", initializer: "load"),
            handler("e", "tasks:g", folder: "/srv"),
        ])
        #expect(runtimes.map(\.name) == ["python:tasks", "python:tasks (2)", "python:tasks (3)", "python:tasks (4)"])
        #expect(runtimes.map(\.executable) == ["python3", ".venv/bin/python", "python3", "python3"])
        #expect(runtimes.map { $0.handlers.map(\.name) } == [["a"], ["b"], ["c", "e"], ["d"]])
    }

    @Test func refusesWhatCannotBeAnInitializer() throws {
        let handlers = try [handler("a", "tasks:f", initializer: "load()")]
        #expect(throws: PythonDefinitionError.self) { try PythonRuntime.runtimes(for: handlers) }
    }

    @Test func refusesMoreThanOneMessageHolds() throws {
        let name = String(repeating: "f", count: 2000)
        let handlers = try (0..<64).map { try handler("h\($0)", "tasks:\(name)") }
        let error = #expect(throws: PythonDefinitionError.self) { try PythonRuntime.runtimes(for: handlers) }
        #expect(error?.description == "too many handlers of the module tasks")
    }
}
