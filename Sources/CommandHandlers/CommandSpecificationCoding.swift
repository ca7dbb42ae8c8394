package import JSONBytes

// How specifications travel to the process that runs them: `{"name", "kind", "program", "arguments", "environment",
// "working_folder"}` each.

extension CommandSpecification {
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.value(name)
        writer.key("kind")
        writer.value(kind.rawValue)
        writer.key("program")
        writer.value(program)
        writer.key("arguments")
        writer.beginArray()
        for argument in arguments { writer.value(argument) }
        writer.endArray()
        writer.key("environment")
        writer.beginObject()
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) {
            writer.key(named: variable)
            writer.value(value)
        }
        writer.endObject()
        if let workingFolder {
            writer.key("working_folder")
            writer.value(workingFolder)
        }
        writer.endObject()
    }

    /// Reads what `write` has written.
    package init(parsing value: JSONValue) throws(CommandError) {
        let members = Dictionary(value.members().map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        guard let name = members["name"]?.string(),
            let kind = members["kind"]?.string().flatMap(Kind.init(rawValue:)),
            let program = members["program"]?.string(),
            let arguments = members["arguments"]?.elements().map({ $0.string() }),
            let environment = members["environment"]?.members().map({ ($0.key, $0.value.string()) })
        else {
            throw CommandError("this is no specification of a command: \(String(decoding: value.bytes, as: UTF8.self))")
        }
        self.init(
            name: name, kind: kind, program: program, arguments: arguments.compactMap { $0 },
            environment: Dictionary(
                environment.compactMap { variable, value in value.map { (variable, $0) } },
                uniquingKeysWith: { first, _ in first }),
            workingFolder: members["working_folder"]?.string())
    }
}
