import ArgumentParser
import JSONBytes

struct StatusCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how a batch or a job stands.",
        discussion: """
            The status of a batch whose jobs failed is told like any other: the exit status is 0.

            \(ClientOptions.exitStatus)
            """)

    @Argument(help: "Identifier of a batch (bat_...) or of a job (job_...).")
    var id: String

    @OptionGroup var options: ClientOptions

    func perform() throws {
        let isJob = id.hasPrefix("job_")
        let json = try options.service().get("/v1/\(isJob ? "jobs" : "batches")/\(ServiceClient.encoded(id))")
        if options.json { return try Output.line(json) }
        guard let lines = isJob ? JobView.lines(json.value) : BatchView(json.value)?.lines else {
            throw ClientFailure.unexpectedAnswer(isJob ? "job" : "batch")
        }
        try Output.line(lines.joined(separator: "\n"))
    }
}
