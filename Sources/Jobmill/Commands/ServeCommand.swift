import ArgumentParser
import Foundation
import Logging
import Platform

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the service.",
        discussion: """
            SIGTERM, SIGINT or SIGHUP stops it: running jobs get the grace period, the others stay in the store and go on at the next \
            start. A second signal ends it at once.

            Environment: JOBMILL_LISTEN, JOBMILL_DATA, JOBMILL_WORKERS and JOBMILL_FILES (folders with colons between) stand in \
            for their flags; JOBMILL_TOKEN is the bearer token. A flag counts more than the environment.
            """)

    @Option(help: "Address to listen on: HOST:PORT, port 0 for any free one. Default: 127.0.0.1:8080.")
    var listen: String?

    @Option(help: "Folder of the store; made if missing. Default: ./jobmill-data.")
    var data: String?

    @Flag(help: "Serve the handlers echo, square, sleep, fail, crash, hang and allocate, for trying and testing.")
    var demo = false

    @Option(parsing: .unconditional, help: "Worker processes. Default: the CPUs that affinity and cgroup quota allow.")
    var workers: Int?

    @Option(help: "Folder below which handlers may read and write files. May be given several times.")
    var files: [String] = []

    @Option(help: "File that holds the bearer token which clients must present.")
    var tokenFile: String?

    @Option(parsing: .unconditional, help: "Seconds that running jobs get to finish when the service stops.")
    var grace: Double = 8

    @Option(parsing: .unconditional, help: "Seconds a job may run if its batch does not say; 0: for ever.")
    var defaultTimeout: Double = 3600

    @Option(parsing: .unconditional, help: "Largest request body in MiB.")
    var maxBody: Int = 64

    @Option(help: "Write the port that the service listens on to this file, once it is ready.")
    var portFile: String?

    @Flag(help: "Let webhooks go to loopback and private addresses.")
    var allowPrivateWebhooks = false

    @Flag(help: "Listen beyond loopback without a token: whoever can connect can submit work.")
    var insecureNoToken = false

    func run() throws {
        let signals = Signals(blocking: [SIGTERM, SIGINT, SIGHUP])
        let configuration = try makeConfiguration(environment: ProcessInfo.processInfo.environment)
        // Handlers have no business with the token.
        unsetenv("JOBMILL_TOKEN")
        // Workers learn their folders from the environment, which the fork server inherits. No other thread exists yet.
        setenv("JOBMILL_FILES", configuration.fileRoots.joined(separator: ":"), 1)
        let service = JobmillService(configuration: configuration, logger: Self.makeLogger())
        let stop = StopRequest()
        do {
            let port = try service.start(stop)
            defer { service.stop() }
            try stop.obey(signals)
            try announce(configuration.listen.url(port: port), port: port)
            if case .signal = stop.wait() { service.drain() }
        } catch let failure as ClientFailure {
            throw failure
        } catch {
            throw ClientFailure(ExitStatus.failure, "jobmill: \(error)")
        }
        if case .fatal(let why) = stop.wait() { throw ClientFailure(ExitStatus.failure, "jobmill: \(why)") }
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

    func makeConfiguration(environment: [String: String]) throws -> ServiceConfiguration {
        let address = listen ?? environment["JOBMILL_LISTEN"] ?? "127.0.0.1:8080"
        guard let listen = ListenAddress(address) else {
            throw ValidationError("--listen \(address): write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080.")
        }
        let token = try TokenSource(file: tokenFile, environment: environment).load()
        guard listen.isLoopback || token != nil || insecureNoToken else {
            throw ValidationError(
                "--listen \(address) lets other machines in: set JOBMILL_TOKEN or --token-file, "
                    + "or say --insecure-no-token if everybody who can connect may submit work.")
        }
        return ServiceConfiguration(
            listen: listen,
            dataFolder: data ?? environment["JOBMILL_DATA"] ?? "jobmill-data",
            handlers: HandlerCatalog.compiledIn.served(withDemo: demo),
            workers: try workerCount(environment),
            fileRoots: try fileRoots(environment),
            token: token,
            allowsPrivateWebhooks: allowPrivateWebhooks,
            gracePeriod: try seconds(grace, "--grace"),
            defaultTimeout: defaultTimeout == 0 ? nil : try seconds(defaultTimeout, "--default-timeout"),
            maximumBodyBytes: try bodyLimit())
    }

    private func workerCount(_ environment: [String: String]) throws -> Int {
        guard let text = workers.map(String.init) ?? environment["JOBMILL_WORKERS"] else {
            return CPUAllowance.current()
        }
        guard let count = Int(text), (1...1024).contains(count) else {
            throw ValidationError("--workers \(text): choose from 1 to 1024.")
        }
        return count
    }

    private func fileRoots(_ environment: [String: String]) throws -> [String] {
        let fromEnvironment = environment["JOBMILL_FILES"]?.split(separator: ":").map(String.init) ?? []
        return try (files.isEmpty ? fromEnvironment : files).map { folder in
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
                throw ValidationError("--files \(folder): there is no such folder.")
            }
            let path = URL(fileURLWithPath: folder).standardizedFileURL.path
            guard !path.contains(":") else {
                throw ValidationError("--files \(folder): a folder whose path holds a colon cannot be used.")
            }
            return path
        }
    }

    private func seconds(_ value: Double, _ flag: String) throws -> Double {
        guard value.isFinite, value >= 0, value <= 7 * 86_400 else {
            throw ValidationError("\(flag) \(value): choose from 0 to 604800 seconds.")
        }
        return value
    }

    private func bodyLimit() throws -> Int {
        guard (1...4096).contains(maxBody) else {
            throw ValidationError("--max-body \(maxBody): choose from 1 to 4096 MiB.")
        }
        return maxBody << 20
    }

    private static func makeLogger() -> Logger {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        return Logger(label: "jobmill")
    }
}
