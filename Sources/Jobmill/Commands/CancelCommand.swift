import ArgumentParser
import JSONBytes

struct CancelCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel what is left of a batch.",
        discussion: """
            Jobs that have an outcome keep it. Running jobs get their grace period: 'jobmill watch' waits for the end.

            \(ClientOptions.exitStatus)
            """)

    @Argument(help: "Identifier of a batch (bat_...).")
    var batch: String

    @OptionGroup var options: ClientOptions

    func perform() throws {
        let json = try options.service().post("/v1/batches/\(ServiceClient.encoded(batch))/cancel", [])
        if options.json { return try Output.line(json) }
        let view = try BatchView(answer: json)
        try Output.line(view.summary)
    }
}
