import CommandHandlers
import Glibc
import JSONBytes
import JobModel
import Platform
public import WorkerKit

/// A job service with handlers compiled in.
///
/// ```swift
/// import Jobmill
/// import WorkerKit
///
/// Jobmill.main(handlers: [
///     Handler("greet") { (name: String, _) in "Hello, \(name)!" }
/// ])
/// ```
///
/// The program then is the whole service and its command line: `serve`, `submit`, `map`, `status` and the rest.
public enum Jobmill {
    /// The version of this service, as `--version` and `/healthz` tell it.
    public static let version = "0.1.0"

    /// Runs the program: call it first thing in `main.swift`, before any thread is started.
    ///
    /// It recognises by itself when it was started as the fork server of a running service, so nothing has to be guarded.
    ///
    /// - Parameter handlers: what this program can do. Names are unique, and have 1 to 64 letters, digits, `_`, `-` and `.`, the first
    ///   one no `.`; another name, or a duplicate, ends the program with a message.
    public static func main(handlers: [Handler]) -> Never {
        StandardStreams.fillGaps()
        let compiledIn = handlers + DemoHandlers.all
        if let complaint = complaint(about: compiledIn.map(\.name)) {
            StandardError.write("jobmill: \(complaint)")
            exit(ExitStatus.usage)
        }
        Zygote.runIfRequested(arguments: CommandLine.arguments, handlers: compiledIn) { commands in
            CommandHandlers.handlers(
                from: try commands.map { try CommandSpecification(parsing: JSON(trusted: $0).value) })
        }
        Signals.ignoreFailedWrites()
        HandlerCatalog.compiledIn = HandlerCatalog(
            own: handlers.map(\.name), demo: DemoHandlers.all.map(\.name),
            preparing: Set(compiledIn.filter(\.hasPreparation).map(\.name)))
        RootCommand.run()
    }

    /// What is wrong with the names of handlers; nil: nothing.
    static func complaint(about names: [String]) -> String? {
        var seen: Set<String> = []
        for name in names {
            if !NameRule.allows(name) { return "\"\(name)\" cannot be a name: \(HandlerSettings.nameRule)" }
            if !seen.insert(name).inserted { return "two handlers have the name \"\(name)\"" }
        }
        return nil
    }
}
