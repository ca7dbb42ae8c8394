import JSONBytes
package import JobModel
package import Platform
import WorkerKit

/// A zygote as it has to be started: the program that prepares a group of handlers together and forks their workers.
package struct RuntimeDefinition: Sendable, Hashable {
    /// Unique in its pool; shown in logs and snapshots.
    package var name: String
    /// Looked for in PATH if it has no slash.
    package var executable: String
    /// All but the last, which is this process's identifier.
    package var arguments: [String]
    /// Beside this process's environment.
    package var environment: [String: String]
    /// nil: this process's.
    package var workingFolder: String?
    /// JSON text that the program gets first of all; at most 128 KiB.
    package var setup: [UInt8]
    /// For the preparation as a whole, and again for each worker's own step.
    package var preparationTimeout: TimeSpan
    package var handlers: [HandlerProfile]

    package init(
        name: String, executable: String, arguments: [String], environment: [String: String] = [:],
        workingFolder: String? = nil, setup: [UInt8] = Array("{}".utf8),
        preparationTimeout: TimeSpan = TimeSpan(seconds: 60), handlers: [HandlerProfile]
    ) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingFolder = workingFolder
        self.setup = setup
        self.preparationTimeout = preparationTimeout
        self.handlers = handlers
    }

    /// Handlers that are compiled into this program, or into another one.
    package static func swift(
        name: String = "swift", executable: String = "/proc/self/exe", handlers: [HandlerProfile],
        preparationTimeout: TimeSpan = TimeSpan(seconds: 60)
    ) -> RuntimeDefinition {
        RuntimeDefinition(
            name: name, executable: executable, arguments: [Zygote.role],
            setup: setup(of: handlers), preparationTimeout: preparationTimeout, handlers: handlers)
    }

    /// Which of the program's handlers the zygote is to prepare.
    private static func setup(of handlers: [HandlerProfile]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("handlers")
        writer.beginArray()
        for handler in handlers { writer.value(handler.name) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    func rules(definition: Int, generation: Int = 0) -> PoolState.RuntimeRules {
        PoolState.RuntimeRules(
            name: name, handlers: handlers, preparationTimeout: preparationTimeout, definition: definition,
            generation: generation)
    }
}
