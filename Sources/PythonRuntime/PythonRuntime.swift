import JSONBytes
package import JobModel

/// The process that prepares a module and forks the workers for all handlers that are its functions, as a pool has to start it.
package struct PythonRuntime: Hashable, Sendable {
    /// Unique among those that were made together, such as `python:tasks`.
    package let name: String
    /// Looked for in PATH if it has no slash.
    package let executable: String
    /// All but the last, which is the server's process identifier.
    package let arguments: [String]
    /// Beside the server's environment.
    package let environment: [String: String]
    /// The first message that it gets: JSON text with the runner's source in it.
    package let setup: [UInt8]
    package let handlers: [HandlerProfile]

    /// Bytes that a setup may have: it travels as one message.
    package static let setupLimit = 128 << 10

    /// Handlers that can share a process do, in the order in which they come: those of the same module, seen by the same interpreter
    /// in the same folder. A different initializer or environment makes another one, so that it cannot fail for handlers that have
    /// nothing to do with it.
    package static func runtimes(for handlers: [PythonHandler]) throws(PythonDefinitionError) -> [PythonRuntime] {
        var order: [Place] = []
        var groups: [Place: [PythonHandler]] = [:]
        for handler in handlers {
            let place = Place(handler)
            if groups[place] == nil { order.append(place) }
            groups[place, default: []].append(handler)
        }
        var runtimes: [PythonRuntime] = []
        var uses: [String: Int] = [:]
        for place in order {
            uses[place.module, default: 0] += 1
            let number = uses[place.module, default: 1]
            let name = "python:\(place.module)" + (number > 1 ? " (\(number))" : "")
            runtimes.append(try PythonRuntime(name: name, place: place, handlers: groups[place, default: []]))
        }
        return runtimes
    }

    /// What handlers of one runtime have in common.
    private struct Place: Hashable {
        let interpreter: String
        let folder: String?
        let module: String
        let initializer: String?
        let environment: [String: String]

        init(_ handler: PythonHandler) {
            interpreter = handler.interpreter
            folder = handler.folder
            module = handler.function.module
            initializer = handler.initializer
            environment = handler.environment
        }
    }

    private init(name: String, place: Place, handlers: [PythonHandler]) throws(PythonDefinitionError) {
        if let initializer = place.initializer, !PythonFunction.isPath(initializer) {
            throw PythonDefinitionError("\"\(initializer)\" cannot be a Python function: write its name alone")
        }
        self.name = name
        executable = place.interpreter
        arguments = ["-c", Runner.bootstrap]
        environment = place.environment
        setup = PythonRuntime.setup(place, handlers)
        self.handlers = handlers.map(\.profile)
        guard setup.count <= PythonRuntime.setupLimit else {
            throw PythonDefinitionError("too many handlers of the module \(place.module)")
        }
    }

    private static func setup(_ place: Place, _ handlers: [PythonHandler]) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: setupLimit / 2)
        writer.beginObject()
        writer.key("module")
        writer.value(place.module)
        writer.key("folder")
        if let folder = place.folder { writer.value(folder) } else { writer.null() }
        writer.key("handlers")
        writer.beginArray()
        for handler in handlers {
            writer.beginObject()
            writer.key("name")
            writer.value(handler.profile.name)
            writer.key("function")
            writer.value(handler.function.function)
            writer.key("initializer")
            if let initializer = place.initializer { writer.value(initializer) } else { writer.null() }
            writer.key("starmap")
            writer.value(handler.spreadsPayload)
            writer.endObject()
        }
        writer.endArray()
        writer.key("source")
        writer.value(Runner.source)
        writer.endObject()
        return writer.bytes
    }
}
