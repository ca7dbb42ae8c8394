import ArgumentParser
import JSONBytes

struct PoolCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "pool",
        abstract: "Show the worker processes, or change how many there are.",
        discussion: """
            A size holds until the service stops. Workers too many end when they have run their chunk.

            \(ClientOptions.exitStatus)
            """)

    @Option(help: "How many worker processes may live at once, from 1 to 1024.")
    var resize: Int?

    @OptionGroup var options: ClientOptions

    func perform() throws {
        let service = try options.service()
        let json: JSON
        if let resize {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("size")
            writer.value(resize)
            writer.endObject()
            json = try service.patch("/v1/pool", writer.finish().bytes)
        } else {
            json = try service.get("/v1/pool")
        }
        if options.json { return try Output.line(json) }
        guard let lines = PoolView.lines(json.value) else { throw ClientFailure.unexpectedAnswer("pool") }
        try Output.line(lines.joined(separator: "\n"))
    }
}
