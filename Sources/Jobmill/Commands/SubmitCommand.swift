import ArgumentParser
import JSONBytes

struct SubmitCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Submit a batch of jobs.",
        discussion: """
            Prints the identifier of the batch. With --wait it waits for the end instead, with a progress bar if standard error is a \
            terminal, and prints the outcomes, one JSON object in each line.

              jobmill submit square 1 2 3
              jobmill submit image.blur --file jobs.json --wait

            \(ClientOptions.exitStatus)
            """)

    @OptionGroup var work: WorkOptions
    @OptionGroup var options: ClientOptions

    @Flag(help: "Wait until every job has an outcome, and print the outcomes.")
    var wait = false

    @Option(help: "URL that is to get a signed webhook when the batch ends.")
    var callback: String?

    @Option(help: "Secret that signs this webhook, whsec_ and base64. Default: the service's own.")
    var callbackSecret: String?

    @Option(help: "A JSON object that is kept with the batch.")
    var metadata: String?

    func validate() throws {
        if callbackSecret != nil && callback == nil {
            throw ValidationError("--callback-secret is of no use without --callback.")
        }
    }

    func perform() throws {
        let body = try body(try work.input())
        let service = try options.service()
        let submitted = try service.post("/v1/batches", body)
        let batch = try BatchView(answer: submitted)
        guard wait else {
            try options.json ? Output.line(submitted) : Output.line(batch.id)
            return
        }
        if Output.isWatched { Output.note(batch.id) }
        let watcher = BatchWatcher(service: service, id: batch.id)
        let end = try watcher.untilFinished()
        if options.json {
            try Output.line(end.json)
        } else {
            _ = try service.copyToOutput(
                "/v1/batches/\(ServiceClient.encoded(batch.id))/results", accept: "application/x-ndjson")
        }
        if Output.isWatched || !end.view.allSucceeded { Output.note(end.view.summary) }
        guard end.view.allSucceeded else { throw ClientFailure.jobsDidNotSucceed }
    }

    func body(_ jobs: JobsInput) throws(ClientFailure) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: jobs.text.count + 512)
        writer.beginObject()
        writer.key("handler")
        writer.value(work.handler)
        work.write(to: &writer)
        if let callback {
            writer.key("callback")
            writer.beginObject()
            writer.key("url")
            writer.value(callback)
            if let callbackSecret {
                writer.key("secret")
                writer.value(callbackSecret)
            }
            writer.endObject()
        }
        if let metadata {
            do {
                let json = try JSON(validating: Array(metadata.utf8))
                writer.key("metadata")
                writer.raw(json)
            } catch {
                throw .usage("--metadata is no JSON: \(error)")
            }
        }
        writer.key("jobs")
        writer.beginArray()
        writer.raw(bytes: jobs.text)
        writer.endArray()
        writer.endObject()
        return writer.finish().bytes
    }
}
