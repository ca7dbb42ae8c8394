import HTTPServer
import JobModel
import JobStore

// /v1/map/{handler}
extension API {
    /// An array of payloads in, an array of their results out, in order.
    func map(_ exchange: Exchange) {
        do throws(Problem) {
            let handler = exchange.parameters[0]
            guard submissions.knows(handler) else {
                throw .noHandler(handler, knownHandlers: submissions.handlers)
            }
            let question = try MapQuestion(
                exchange.head.query, defaultTimeout: configuration.defaultTimeout,
                defaultQueue: submissions.queue(of: handler))
            let segments = try submissions.payloads(exchange.body)
            let batch = try newBatch(
                Submission(handler: handler, options: question.options, segments: segments), exchange.head)
            let id = batch.id
            let preferences = exchange.preferences
            let record = BatchRecord(
                id: id, handler: handler, options: batch.options, total: batch.total, createdAt: batch.createdAt)
            submit(
                batch, for: exchange,
                wait: question.wait ?? preferences.waitSeconds(default: MapQuestion.defaultWait),
                accepted: accepted(record, preferences, running: 0)
            ) {
                WaitAnswers(
                    finished: { [self] record throws(Problem) in
                        try answer(exchange, withValuesOf: record, ResultsSelection())
                    },
                    outOfTime: { [self] () throws(Problem) in
                        exchange.respond(accepted(try existingBatch(id), preferences))
                    })
            }
        } catch {
            exchange.fail(error)
        }
    }
}

/// The options of a map, which stand in its query.
struct MapQuestion: Sendable {
    static let defaultWait = 300

    /// Seconds, if the query says so.
    var wait: Int?
    var options: BatchOptions

    init(_ query: [(name: String, value: String)], defaultTimeout: Double?, defaultQueue: String) throws(Problem) {
        var reader = QueryReader(query)
        // As with Python's `map`, what fails is told to the caller, who knows whether to try again.
        options = BatchOptions(
            queue: defaultQueue, retries: RetryPolicy(maximumAttempts: 1), timeout: defaultTimeout)
        wait = reader.integer("wait", in: 0...Preferences.maximumWait)
        options.queue =
            reader.value(of: "queue") { text throws(Complaint) in try OptionRules.queue(text) } ?? options.queue
        options.priority =
            reader.value(of: "priority") { text throws(Complaint) in try OptionRules.priority(Int(text)) }
            ?? options.priority
        options.retries.maximumAttempts =
            reader.value(of: "max_attempts") { text throws(Complaint) in try OptionRules.maximumAttempts(Int(text)) }
            ?? options.retries.maximumAttempts
        options.timeout =
            reader.value(of: "timeout") { text throws(Complaint) in try OptionRules.timeout(API.number(text)) }
            ?? options.timeout
        options.chunkSize =
            reader.value(of: "chunk_size") { text throws(Complaint) in
                let number = Int(text)
                return try OptionRules.chunkSize(word: number == nil ? text : nil, number: number)
            } ?? options.chunkSize
        try reader.finish()
    }
}
