import ArgumentParser
import Foundation

/// What every client command needs to know: where the service is, and how to speak to the person.
struct ClientOptions: ParsableArguments {
    @Option(help: "URL of the service. Default: JOBMILL_SERVER, else http://127.0.0.1:8080.")
    var server: String?

    @Option(help: "Bearer token. Other users of this machine can see it; better use --token-file or JOBMILL_TOKEN.")
    var token: String?

    @Option(help: "File that holds the bearer token. Default: the token in JOBMILL_TOKEN.")
    var tokenFile: String?

    @Flag(help: "Print what the service says as JSON.")
    var json = false

    static let defaultServer = "http://127.0.0.1:8080"

    static let exitStatus = """
        Exit status: 0 success; 1 some jobs failed or were cancelled; 2 the command line makes no sense; 3 the server refused; \
        4 the server cannot be reached.
        """

    func service(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> ServiceClient {
        guard token == nil || tokenFile == nil else {
            throw ValidationError("Give --token or --token-file, not both.")
        }
        let token = try self.token ?? TokenSource(file: tokenFile, environment: environment).load()
        return try ServiceClient(
            server: server ?? environment["JOBMILL_SERVER"] ?? ClientOptions.defaultServer, token: token)
    }
}
