import ArgumentParser
import JSONBytes
import JobModel

struct QueuesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues",
        abstract: "List the queues, pause one, let it go on, or change its limit and its priority.",
        discussion: """
            Without a subcommand it lists them. A change takes effect at once and holds until the next one, also after a restart; but \
            what the service's configuration file says of a queue is put in force at every start.

              jobmill queues pause mail
              jobmill queues set mail --concurrency 4 --priority 10

            \(ClientOptions.exitStatus)
            """,
        subcommands: [
            QueuesListCommand.self, QueuesPauseCommand.self, QueuesResumeCommand.self, QueuesSetCommand.self,
        ],
        defaultSubcommand: QueuesListCommand.self)
}

struct QueuesListCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the queues: the default one, those that were set up, and those with work left.",
        discussion: ClientOptions.exitStatus)

    @OptionGroup var options: ClientOptions

    func perform() throws {
        let service = try options.service()
        var rows: [[String]] = []
        var cursor: String?
        repeat {
            let query = cursor.map { "&cursor=\(ServiceClient.encoded($0))" } ?? ""
            let page = try service.get("/v1/queues?limit=100\(query)")
            if options.json {
                try Output.line(page)
            } else {
                guard let queues = QueueView.rows(page.value) else {
                    throw ClientFailure.unexpectedAnswer("list of queues")
                }
                rows += queues
            }
            cursor = page.value["next_cursor"]?.string()
        } while cursor != nil
        if !options.json { try Output.line(QueueView.table(rows).joined(separator: "\n")) }
    }
}

struct QueuesPauseCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Start nothing more of a queue; jobs that run go on.",
        discussion: ClientOptions.exitStatus)

    @OptionGroup var queue: QueueArgument

    func perform() throws { try queue.change(QueueChange(isPaused: true)) }
}

struct QueuesResumeCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a paused queue go on.", discussion: ClientOptions.exitStatus)

    @OptionGroup var queue: QueueArgument

    func perform() throws { try queue.change(QueueChange(isPaused: false)) }
}

struct QueuesSetCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a queue's limit, its priority, or both.",
        discussion: ClientOptions.exitStatus)

    @OptionGroup var queue: QueueArgument

    @Option(help: "How many of its jobs may run at once, from 1 to 1024, or unlimited.")
    var concurrency: String?

    @Option(
        parsing: .unconditional,
        help: "From -100 to 100; queues of a higher priority go first, whatever the priorities of their batches.")
    var priority: Int?

    func validate() throws { _ = try change() }

    func perform() throws { try queue.change(try change()) }

    /// Whether numbers are in range is the server's affair.
    func change() throws -> QueueChange {
        var change = QueueChange(priority: priority)
        if let concurrency {
            if concurrency == QueueChange.unlimited {
                change.concurrency = .unlimited
            } else if let limit = Int(concurrency) {
                change.concurrency = .atMost(limit)
            } else {
                throw ValidationError("--concurrency \(concurrency): give a number, or unlimited.")
            }
        }
        guard change != QueueChange() else { throw ValidationError("Say --concurrency, --priority or both.") }
        return change
    }
}

/// Which queue, and how to show what became of it.
struct QueueArgument: ParsableArguments {
    @Argument(help: "Name of the queue.")
    var name: String

    @OptionGroup var options: ClientOptions

    func change(_ change: QueueChange) throws {
        let json = try options.service().patch("/v1/queues/\(ServiceClient.encoded(name))", QueueArgument.body(change))
        if options.json { return try Output.line(json) }
        guard let row = QueueView.row(json.value) else { throw ClientFailure.unexpectedAnswer("queue") }
        try Output.line(QueueView.table([row]).joined(separator: "\n"))
    }

    static func body(_ change: QueueChange) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if let isPaused = change.isPaused {
            writer.key("paused")
            writer.value(isPaused)
        }
        switch change.concurrency {
        case nil: break
        case .unlimited:
            writer.key("concurrency")
            writer.null()
        case .atMost(let limit):
            writer.key("concurrency")
            writer.value(limit)
        }
        if let priority = change.priority {
            writer.key("priority")
            writer.value(priority)
        }
        writer.endObject()
        return writer.finish().bytes
    }
}
