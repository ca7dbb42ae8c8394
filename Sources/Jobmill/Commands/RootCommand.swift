import ArgumentParser
import Foundation

struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobmill",
        abstract: "A durable pool of worker processes behind an HTTP service.",
        discussion: """
            Start a service with `jobmill serve --demo`, then in another terminal:

              jobmill map square 1 2 3

            Every command but `serve` speaks HTTP to a running service: --server URL, or the environment's JOBMILL_SERVER.

            Exit status: 0 success; 1 jobs failed or the service ended with an error; 2 the command line makes no sense; \
            3 the server refused; 4 the server cannot be reached.
            """,
        version: Jobmill.version,
        subcommands: [ServeCommand.self, CheckConfigCommand.self] + ClientCommands.all)

    /// One clear line, not the page of usage that the parser would print.
    private static func complaint(about error: any Error) -> [String] {
        if let failure = error as? ClientFailure { return failure.lines }
        if let error = error as? ConfigurationError { return error.problems.map { "jobmill: \($0)" } }
        let sentence = message(for: error)
        return sentence.isEmpty ? [] : ["jobmill: " + sentence.split(separator: "\n").joined(separator: " ")]
    }

    /// Parses the command line, runs what it asks for and ends the process.
    static func run() -> Never {
        do {
            var command = try parseAsRoot()
            try command.run()
            Foundation.exit(ExitStatus.success)
        } catch {
            let code = exitCode(for: error)
            if code == .success {
                try? Output.line(fullMessage(for: error))
            } else {
                for line in complaint(about: error) { Output.note(line) }
            }
            if let failure = error as? ClientFailure { Foundation.exit(failure.status) }
            if error is ConfigurationError { Foundation.exit(ExitStatus.usage) }
            Foundation.exit(code == .validationFailure ? ExitStatus.usage : code.rawValue)
        }
    }
}
