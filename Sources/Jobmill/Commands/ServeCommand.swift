import ArgumentParser
import Foundation
import Logging
import Platform

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the service.",
        discussion: """
            SIGTERM or SIGINT stops it: running jobs get the grace period, the others stay in the store and go on at the next \
            start. A second signal ends it at once.

            SIGHUP reads the settings again and loads all handlers anew, code and data included, without losing a job: what runs \
            ends in the old processes, what comes then runs in the new ones. If something is wrong, everything goes on as before. \
            When the terminal that the service was started from is closed, it stops, unless it was started with nohup.

            Settings come from flags, the environment, the configuration file and the defaults; the first that says something \
            counts. Environment: \(Settings.environmentNames.joined(separator: ", ")) stand in for their flags (JOBMILL_FILES: \
            folders with colons between), JOBMILL_CONFIG for --config; JOBMILL_TOKEN is the bearer token.

            `jobmill check-config` tells what is wrong with a configuration, without starting anything.
            """)

    @OptionGroup var flags: ServeFlags

    @Option(help: "Write the port that the service listens on to this file, once it is ready.")
    var portFile: String?

    func run() throws {
        let signals = Signals(blocking: [SIGTERM, SIGINT, SIGHUP])
        let terminal = StartingTerminal()
        let environment = ProcessInfo.processInfo.environment
        let configuration = try flags.configuration(environment: environment)
        // Handlers have no business with the token.
        unsetenv("JOBMILL_TOKEN")
        // Workers learn their folders from the environment, which the fork server inherits. No other thread exists yet.
        setenv("JOBMILL_FILES", configuration.fileRoots.joined(separator: ":"), 1)
        let logger = Self.makeLogger()
        let service = JobmillService(configuration: configuration, logger: logger)
        let requests = ServiceRequests()
        do {
            let port = try service.start(requests)
            defer { service.stop() }
            try requests.obey(signals, startedFrom: terminal, logger: logger)
            try announce(configuration.listen.url(port: port), port: port)
            while case .reload = requests.next() {
                service.reload { () throws(ConfigurationError) in try flags.configuration(environment: environment) }
            }
            if case .stop(.signal) = requests.next() { service.drain() }
        } catch let failure as ClientFailure {
            throw failure
        } catch {
            throw ClientFailure(ExitStatus.failure, "jobmill: \(error)")
        }
        if case .stop(.fatal(let why)) = requests.next() { throw ClientFailure(ExitStatus.failure, "jobmill: \(why)") }
    }

    /// Tells a person on standard output and a script through the port file that the service is ready.
    private func announce(_ url: String, port: Int) throws {
        if let portFile {
            do {
                try Data("\(port)\n".utf8).write(to: URL(fileURLWithPath: portFile), options: .atomic)
            } catch {
                throw ClientFailure(
                    ExitStatus.failure, "jobmill: cannot write the port file \(portFile): \(error.localizedDescription)"
                )
            }
        }
        try Output.line("jobmill listening on \(url)")
    }

    private static func makeLogger() -> Logger {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        return Logger(label: "jobmill")
    }
}
