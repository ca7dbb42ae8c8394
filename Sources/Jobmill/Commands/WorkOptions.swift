import ArgumentParser
import JSONBytes

/// What jobs are and how they are to be run: the part that `submit` and `map` have in common.
struct WorkOptions: ParsableArguments {
    @Argument(help: "Name of the handler; 'jobmill handlers' lists them.")
    var handler: String

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp("Jobs, each a JSON value, such as 3 or '{\"path\":\"a.jpg\"}'.", valueName: "job"))
    var jobs: [String] = []

    @Option(help: "File of jobs, - for standard input: one JSON array, or a JSON value in each line.")
    var file: String?

    @Option(help: "Queue that the batch waits in. Default: the handler's, else default.")
    var queue: String?

    @Option(parsing: .unconditional, help: "From -100 to 100; higher goes first.")
    var priority: Int?

    @Option(help: "Jobs that a worker gets at once: a number, auto, or python as Pool.map would.")
    var chunkSize: String?

    @Option(help: "How often a job is tried, the first time included.")
    var maxAttempts: Int?

    @Option(help: "Seconds that a job may run.")
    var timeout: Double?

    func input() throws(ClientFailure) -> JobsInput {
        // The parser leaves the mark that ends the options where it was.
        var arguments = jobs
        if let mark = arguments.firstIndex(of: "--") { arguments.remove(at: mark) }
        do {
            return try JobsInput.read(arguments: arguments, file: file)
        } catch {
            throw .usage(error.description)
        }
    }

    /// The options that were given, as members of a submission. Whether they are in range is the server's affair.
    func write(to writer: inout JSONWriter) {
        if let queue {
            writer.key("queue")
            writer.value(queue)
        }
        if let priority {
            writer.key("priority")
            writer.value(priority)
        }
        if let chunkSize {
            writer.key("chunk_size")
            if let count = Int(chunkSize) { writer.value(count) } else { writer.value(chunkSize) }
        }
        if let maxAttempts {
            writer.key("max_attempts")
            writer.value(maxAttempts)
        }
        if let timeout {
            writer.key("timeout")
            writer.value(timeout)
        }
    }

    /// The same as a query, `?` included; empty if none was given.
    var query: String {
        let pairs = [
            ("queue", queue), ("priority", priority.map { String($0) }), ("chunk_size", chunkSize),
            ("max_attempts", maxAttempts.map { String($0) }), ("timeout", timeout.map { String($0) }),
        ].compactMap { name, value in value.map { "\(name)=\(ServiceClient.encoded($0))" } }
        return pairs.isEmpty ? "" : "?\(pairs.joined(separator: "&"))"
    }
}
