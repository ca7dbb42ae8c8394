import ArgumentParser
import JSONBytes

struct WatchCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follow a batch until every job has an outcome.",
        discussion: """
            Shows progress if standard error is a terminal; at the end one line says what came of the jobs, and for failed ones why.

            \(ClientOptions.exitStatus)
            """)

    @Argument(help: "Identifier of a batch (bat_...).")
    var batch: String

    @OptionGroup var options: ClientOptions

    func perform() throws {
        let watcher = BatchWatcher(service: try options.service(), id: batch)
        let end = try watcher.untilFinished()
        try options.json ? Output.line(end.json) : Output.line(end.view.summary)
        guard !end.view.allSucceeded else { return }
        try watcher.explainFailures(of: end.view)
        throw ClientFailure.jobsDidNotSucceed
    }
}
