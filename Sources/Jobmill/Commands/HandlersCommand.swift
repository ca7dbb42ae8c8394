import ArgumentParser
import JSONBytes

struct HandlersCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "handlers",
        abstract: "List what the service can do.",
        discussion: ClientOptions.exitStatus)

    @OptionGroup var options: ClientOptions

    func perform() throws {
        let json = try options.service().get("/v1/handlers")
        if options.json { return try Output.line(json) }
        guard let lines = HandlersCommand.lines(json.value) else {
            throw ClientFailure.unexpectedAnswer("list of handlers")
        }
        try Output.line(lines.joined(separator: "\n"))
    }

    /// Name, runtime and what is wrong, in columns.
    static func lines(_ answer: JSONValue) -> [String]? {
        guard let handlers = answer["handlers"]?.elements() else { return nil }
        let names = handlers.map { $0["name"]?.string() ?? "?" }
        let width = names.map(\.count).max() ?? 0
        return zip(names, handlers).map { name, handler in
            let runtime = handler["runtime"]?.string() ?? ""
            let isHealthy = handler["healthy"]?.boolean() ?? true
            let padding = String(repeating: " ", count: width - name.count)
            let reason = handler["reason"]?.string().map { ": \($0)" } ?? ""
            let problem = handler["reload_problem"]?.string().map { "  (could not be reloaded: \($0))" } ?? ""
            return Output.printable(
                "\(name)\(padding)  \(runtime)\(isHealthy ? "" : "  (cannot run now\(reason))")\(problem)")
        }
    }
}
