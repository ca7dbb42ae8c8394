import ArgumentParser
import HTTPClient
import JSONBytes

struct MapCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "map",
        abstract: "Run a handler on each job and print the results as a JSON array, in order.",
        discussion: """
              jobmill map square 1 2 3
              seq 1000 | jobmill map square --file -

            If a job fails there is no array, but the failures are told on standard error.

            \(ClientOptions.exitStatus)
            """)

    @OptionGroup var work: WorkOptions
    @OptionGroup var options: ClientOptions

    func perform() throws {
        let jobs = try work.input()
        let service = try options.service()
        let path = "/v1/map/\(ServiceClient.encoded(work.handler))\(work.query)"
        let body = [UInt8(ascii: "[")] + jobs.text + [UInt8(ascii: "]")]
        let answer = try service.exchange("POST", path, body: body, wait: MapCommand.wait)
        switch answer.status {
        case 200: try Output.write(answer.body + [0x0A])
        case 202: try finish(answer, service)
        case 422:
            let problem = (try? JSON(validating: answer.body))?.value
            guard let id = problem?["batch"]?.string() else { throw refusal(answer) }
            let watcher = BatchWatcher(service: service, id: id)
            try complain(about: try watcher.batch().view, watcher)
        default: throw refusal(answer)
        }
    }

    /// Seconds that the service may take before it hands out the batch instead.
    private static let wait = 300

    /// The time to wait ran out: the batch goes on by itself.
    private func finish(_ answer: HTTPClientResponse, _ service: ServiceClient) throws {
        let batch = try BatchView(answer: service.json(of: answer))
        let watcher = BatchWatcher(service: service, id: batch.id)
        let end = try watcher.untilFinished().view
        guard end.allSucceeded else { return try complain(about: end, watcher) }
        _ = try service.copyToOutput(
            "/v1/batches/\(ServiceClient.encoded(batch.id))/results?view=values", accept: "application/json")
        try Output.line("")
    }

    private func complain(about batch: BatchView, _ watcher: BatchWatcher) throws {
        Output.note(batch.summary)
        try watcher.explainFailures(of: batch)
        throw ClientFailure.jobsDidNotSucceed
    }

    private func refusal(_ answer: HTTPClientResponse) -> ClientFailure {
        .refused(status: answer.status, body: answer.body)
    }
}
