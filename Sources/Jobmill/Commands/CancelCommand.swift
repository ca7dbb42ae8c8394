import ArgumentParser
import JSONBytes

struct CancelCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel what is left of a batch.",
        discussion: """
            Jobs that have an outcome keep it. Running jobs get their grace period: with --wait the command ends when the \
            workers that ran them are dead.

            \(ClientOptions.exitStatus)
            """)

    @Argument(help: "Identifier of a batch (bat_...).")
    var batch: String

    @Option(help: "Seconds to wait until nothing of the batch runs any more.")
    var wait: Int = 0

    @OptionGroup var options: ClientOptions

    func validate() throws {
        guard (0...3600).contains(wait) else { throw ValidationError("--wait \(wait): choose from 0 to 3600 seconds.") }
    }

    func perform() throws {
        let json = try options.service().post("/v1/batches/\(ServiceClient.encoded(batch))/cancel", [], wait: wait)
        if options.json { return try Output.line(json) }
        let view = try BatchView(answer: json)
        try Output.line(view.summary)
    }
}
