import ArgumentParser
import Foundation
import PythonRuntime

struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Tell what is wrong with a configuration, and what the service would do with it.",
        discussion: """
            Takes the flags of `serve` and reads the same environment and the same file, but starts nothing. Every problem has a \
            line of its own, with the file, the line in it and what to write instead. Exit status: 0 all is well, 2 there are problems.
            """)

    @OptionGroup var flags: ServeFlags

    func run() throws {
        let configuration = try flags.configuration(environment: ProcessInfo.processInfo.environment)
        _ = try RuntimePlan.runtimes(for: configuration.handlers, preparing: HandlerCatalog.compiledIn.preparing)
        try Output.line("listen: \(configuration.listen)")
        try Output.line("data: \(configuration.dataFolder)")
        try Output.line("workers: \(configuration.workers)")
        for root in configuration.fileRoots { try Output.line("files: \(root)") }
        for handler in configuration.handlers { try Output.line("handler \(handler.name): \(handler.runtime)") }
        for queue in configuration.queues { try Output.line("queue \(queue.name): \(queue.change)") }
        try Output.line("The configuration is sound.")
    }
}

extension HandlerSettings.Runtime: CustomStringConvertible {
    /// What runs the handler, as a person would write it.
    var description: String {
        switch self {
        case .compiledIn: "compiled in"
        case .python(let python): "python:\(python.function.module):\(python.function.function)"
        case .lines(let words): "lines:\(words.joined(separator: " "))"
        case .exec(let words): "exec:\(words.joined(separator: " "))"
        case .unreadable: "unknown"
        }
    }
}
