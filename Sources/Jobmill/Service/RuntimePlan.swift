import CommandHandlers
import Foundation
import JSONBytes
import JobModel
import PythonRuntime
import WorkerKit
import WorkerPool

/// Which processes have to prepare and run the handlers.
enum RuntimePlan {
    /// Handlers that are prepared together share a process; one that has a preparation of its own cannot fail for others.
    ///
    /// - Parameter preparing: names of compiled-in handlers that have a preparation.
    /// - Returns: at least one.
    static func runtimes(
        for handlers: [HandlerSettings], preparing: Set<String>
    ) throws(ConfigurationError) -> [RuntimeDefinition] {
        let compiledIn = handlers.filter { $0.runtime == .compiledIn }
        let plain = compiledIn.filter { !preparing.contains($0.name) }
        var runtimes: [RuntimeDefinition] = []
        if !plain.isEmpty { runtimes.append(.swift(handlers: plain.map(\.profile))) }
        for handler in compiledIn where preparing.contains(handler.name) {
            runtimes.append(.swift(name: "swift:\(handler.name)", handlers: [handler.profile]))
        }
        runtimes += try python(handlers)
        if let commands = try commands(handlers) { runtimes.append(commands) }
        return runtimes.isEmpty ? [.swift(handlers: [])] : runtimes
    }

    private static func python(_ handlers: [HandlerSettings]) throws(ConfigurationError) -> [RuntimeDefinition] {
        let functions = handlers.compactMap { handler -> PythonHandler? in
            guard case .python(let python) = handler.runtime else { return nil }
            return handler.pythonHandler(python)
        }
        do throws(PythonDefinitionError) {
            return try PythonRuntime.runtimes(for: functions).map { runtime in
                RuntimeDefinition(
                    name: runtime.name, executable: runtime.executable, arguments: runtime.arguments,
                    environment: runtime.environment, setup: runtime.setup,
                    handlers: runtime.handlers)
            }
        } catch {
            throw ConfigurationError(problems: [ConfigurationProblem(source: "handlers", error.description)])
        }
    }

    /// All commands share one process: what it prepares is nothing.
    private static func commands(_ handlers: [HandlerSettings]) throws(ConfigurationError) -> RuntimeDefinition? {
        var problems: [ConfigurationProblem] = []
        var profiles: [HandlerProfile] = []
        var setup = JSONWriter()
        setup.beginObject()
        setup.key("handlers")
        setup.beginArray()
        setup.endArray()
        setup.key("commands")
        setup.beginArray()
        for handler in handlers {
            do throws(CommandError) {
                let environment = ProcessInfo.processInfo.environment
                guard let specification = try handler.commandSpecification(environment: environment) else { continue }
                specification.write(to: &setup)
                profiles.append(handler.profile)
            } catch {
                problems.append(ConfigurationProblem(source: "handler \(handler.name)", error.message))
            }
        }
        setup.endArray()
        setup.endObject()
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
        if profiles.isEmpty { return nil }
        return RuntimeDefinition(
            name: "command", executable: "/proc/self/exe", arguments: [Zygote.role], setup: setup.bytes,
            handlers: profiles)
    }
}
