import ArgumentParser

struct ResultsCommand: ClientCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case ndjson, values
    }

    static let configuration = CommandConfiguration(
        commandName: "results",
        abstract: "Print the outcomes of a batch, in the order of its jobs.",
        discussion: """
            ndjson: an object in each line, for every job that has an outcome so far, whichever it is.
            values: the results alone as one JSON array; refused unless every job has succeeded.

            \(ClientOptions.exitStatus)
            """)

    @Argument(help: "Identifier of a batch (bat_...).")
    var batch: String

    @Option(help: "ndjson or values.")
    var format = Format.ndjson

    @OptionGroup var options: ClientOptions

    func perform() throws {
        let path = "/v1/batches/\(ServiceClient.encoded(batch))/results"
        let last: UInt8?
        switch format {
        case .ndjson:
            last = try options.service().copyToOutput(path, accept: "application/x-ndjson")
        case .values:
            last = try options.service().copyToOutput("\(path)?view=values", accept: "application/json")
        }
        if let last, last != UInt8(ascii: "\n") { try Output.line("") }
    }
}
