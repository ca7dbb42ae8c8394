import ArgumentParser
import Foundation

/// The settings of the service as flags, for all commands that need its configuration.
struct ServeFlags: ParsableArguments {
    @Option(help: "Configuration file. Default: jobmill.yaml in this folder, if there is one.")
    var config: String?

    @Option(help: "Address to listen on: HOST:PORT, port 0 for any free one. Default: 127.0.0.1:8080.")
    var listen: String?

    @Option(help: "Folder of the store; made if missing. Default: ./jobmill-data.")
    var data: String?

    @Flag(help: "Serve the handlers echo, square, sleep, fail, crash, hang and allocate, for trying and testing.")
    var demo = false

    @Option(
        help: ArgumentHelp(
            "Register a handler: NAME=python:MODULE:FUNCTION, NAME=lines:COMMAND or NAME=exec:COMMAND. May be given several times.",
            valueName: "name=runtime:what"))
    var handler: [String] = []

    @Option(parsing: .unconditional, help: "Worker processes. Default: the CPUs that affinity and cgroup quota allow.")
    var workers: Int?

    @Option(help: "Folder below which handlers may read and write files. May be given several times.")
    var files: [String] = []

    @Option(help: "File that holds the bearer token which clients must present.")
    var tokenFile: String?

    @Option(
        parsing: .unconditional,
        help: "Seconds that running jobs get when the service stops, or when they are cancelled. Default: 8.")
    var grace: Double?

    @Option(
        parsing: .unconditional, help: "Seconds a job may run if its batch does not say; 0: for ever. Default: 3600.")
    var defaultTimeout: Double?

    @Option(parsing: .unconditional, help: "Largest request body in MiB. Default: 64.")
    var maxBody: Int?

    @Flag(help: "Let webhooks go to loopback and private addresses.")
    var allowPrivateWebhooks = false

    @Flag(help: "Listen beyond loopback without a token: whoever can connect can submit work.")
    var insecureNoToken = false

    /// The configuration that all sources together make.
    /// - Throws: everything that is wrong.
    func configuration(environment: [String: String]) throws(ConfigurationError) -> ServiceConfiguration {
        let report = ConfigurationReport()
        let given = settings(report).over(Settings(environment: environment, report: report))
        let file = report.gather { () throws(ConfigurationError) in try self.file(environment, report) }
        // What a file says that cannot be read nobody knows.
        guard let file else { throw report.error }
        let settings = given.over(file)
        let token = report.gather { () throws(ConfigurationError) in
            try TokenSource(file: settings.tokenFile, place: settings.places["token_file"], environment: environment)
                .load()
        }
        return try ServiceConfiguration(
            settings, catalog: HandlerCatalog.compiledIn, token: token ?? nil, environment: environment, report: report)
    }

    /// What the flags alone say.
    private func settings(_ report: ConfigurationReport) -> Settings {
        func check<Value: Comparable>(_ value: Value?, _ flag: String, _ range: ClosedRange<Value>, _ unit: String)
            -> Value?
        {
            guard let value else { return nil }
            if range.contains(value) { return value }
            report.add(
                Place(source: "\(flag) \(value)"), "choose from \(range.lowerBound) to \(range.upperBound)\(unit)")
            return nil
        }
        var settings = Settings()
        settings.listen = listen
        settings.data = data
        settings.demo = demo ? true : nil
        settings.workers = check(workers, "--workers", 1...1024, "")
        settings.files = files.isEmpty ? nil : files
        settings.tokenFile = tokenFile
        settings.grace = check(grace, "--grace", 0...604_800, " seconds")
        settings.defaultTimeout = check(defaultTimeout, "--default-timeout", 0...604_800, " seconds")
        settings.maximumBodyBytes = check(maxBody, "--max-body", 1...4096, " MiB").map { $0 << 20 }
        settings.allowsPrivateWebhooks = allowPrivateWebhooks ? true : nil
        settings.insecureNoToken = insecureNoToken ? true : nil
        for text in handler {
            do throws(Complaint) {
                let handler = try HandlerFlag.parse(text)
                if settings.handlers.contains(where: { $0.name == handler.name }) {
                    throw Complaint("there is a second handler with this name")
                }
                settings.handlers.append(handler)
                settings.places["handlers", handler.name] = Place(source: "--handler \(text)")
            } catch {
                report.add(Place(source: "--handler \(text)"), error.sentence)
            }
        }
        settings.places["listen"] = listen.map { Place(source: "--listen \($0)") }
        settings.places["files"] = files.isEmpty ? nil : Place(source: "--files")
        settings.places["token_file"] = tokenFile.map { Place(source: "--token-file \($0)") }
        return settings
    }

    /// What the configuration file says: nothing if nobody names one and there is none at the usual place.
    private func file(
        _ environment: [String: String], _ report: ConfigurationReport
    ) throws(ConfigurationError) -> Settings {
        let variable = environment["JOBMILL_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        if let named = config ?? variable { return try Settings(readingFile: named, report: report) }
        guard FileManager.default.fileExists(atPath: Settings.usualFile) else { return Settings() }
        return try Settings(readingFile: Settings.usualFile, report: report)
    }
}
