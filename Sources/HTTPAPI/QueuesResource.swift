import HTTPServer
import JSONBytes
import JobModel
import JobStore
import Logging

// /v1/queues and /v1/queues/{queue}
extension API {
    func listQueues(_ exchange: Exchange) {
        do throws(Problem) {
            let question = try QueueListQuestion(exchange.head.query)
            read(exchange) { [self] () throws(Problem) in
                // One more than wanted shows whether there is a next page.
                let queues = try ask { (store) throws(StoreError) in
                    try store.queues(after: question.after, limit: question.limit + 1)
                }
                let page = queues.prefix(question.limit)
                let next = queues.count > question.limit ? page.last?.record.name : nil
                exchange.respond(.json(200, json(page, next: next), headers: question.link(to: next)))
            }
        } catch {
            exchange.fail(error)
        }
    }

    func showQueue(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            answer(exchange, withQueue: try queueName(exchange))
        } catch {
            exchange.fail(error)
        }
    }

    /// Answers when the change is stored; jobs that run go on.
    func changeQueue(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            let name = try queueName(exchange)
            let change = try submissions.queueChange(exchange.body)
            configuration.logger.notice(
                "a queue is changed", metadata: ["queue": "\(name)", "change": "\(change)"])
            configuration.store.changeQueue(name, change) { [self] result in
                switch result {
                case .success: answer(exchange, withQueue: name)
                case .failure(let error): exchange.fail(.store(error))
                }
            }
        } catch {
            exchange.fail(error)
        }
    }

    /// Every name that can be one is that of a queue.
    private func queueName(_ exchange: Exchange) throws(Problem) -> String {
        let name = exchange.parameters[0]
        guard NameRule.allows(name) else {
            throw .notFound("There is no queue \(Problem.shortened(name)): the name of one \(NameRule.sentence).")
        }
        return name
    }

    private func answer(_ exchange: Exchange, withQueue name: String) {
        read(exchange) { [self] () throws(Problem) in
            let queue = try ask { (store) throws(StoreError) in try store.queue(name) }
            var writer = JSONWriter(reservingCapacity: 256)
            write(queue, to: &writer)
            exchange.respond(.json(200, writer.finish()))
        }
    }

    private func json(_ queues: ArraySlice<QueueOverview>, next: String?) -> JSON {
        var writer = JSONWriter(reservingCapacity: 64 + 192 * queues.count)
        writer.beginObject()
        writer.key("queues")
        writer.beginArray()
        for queue in queues { write(queue, to: &writer) }
        writer.endArray()
        writer.key("next_cursor")
        writer.value(orNull: next)
        writer.endObject()
        return writer.finish()
    }

    private func write(_ queue: QueueOverview, to writer: inout JSONWriter) {
        let settings = queue.record.settings
        writer.beginObject()
        writer.key("name")
        writer.value(queue.record.name)
        writer.key("priority")
        writer.value(settings.priority)
        writer.key("concurrency")
        writer.value(orNull: settings.concurrency)
        writer.key("paused")
        writer.value(settings.isPaused)
        writer.key("counts")
        writer.beginObject()
        writer.key("batches")
        writer.value(queue.backlog.batches)
        writer.key("jobs")
        writer.value(queue.backlog.jobs)
        writer.key("running")
        writer.value(configuration.live.running(inQueue: queue.record.name))
        writer.key("more")
        writer.value(queue.backlog.hasMore)
        writer.endObject()
        writer.endObject()
    }
}

/// Which page of the queues a request asks for.
private struct QueueListQuestion: Sendable {
    private static let limits = 1...100
    private static let defaultLimit = 50

    let limit: Int
    /// The name of the last queue of the page before.
    let after: String?

    init(_ query: [(name: String, value: String)]) throws(Problem) {
        var reader = QueryReader(query)
        limit = reader.integer("limit", in: QueueListQuestion.limits) ?? QueueListQuestion.defaultLimit
        after = reader.value(of: "cursor") { text throws(Complaint) in
            guard NameRule.allows(text) else { throw Complaint("must be the next_cursor of an earlier answer") }
            return text
        }
        try reader.finish()
    }

    func link(to next: String?) -> [(String, String)] {
        guard let next else { return [] }
        let query = [(name: "cursor", value: next), (name: "limit", value: String(limit))]
        return [("Link", "<\(Path.with("/v1/queues", query: query))>; rel=\"next\"")]
    }
}

extension SubmissionReader {
    /// `{"paused": …, "concurrency": …, "priority": …}`, at least one of them.
    fileprivate func queueChange(_ body: [UInt8]) throws(Problem) -> QueueChange {
        var errors = FieldErrors()
        var change = QueueChange()
        let value = try json(body).value
        var fields = Fields(of: value, at: "", &errors)
        while let (name, value) = fields.next(&errors) {
            let place = fields.place(of: name)
            switch name {
            case "paused":
                change.isPaused = value.boolean()
                if change.isPaused == nil { errors.add(place, "must be true or false") }
            case "concurrency" where value.kind == .null: change.concurrency = .unlimited
            case "concurrency":
                change.concurrency = errors.check(
                    place, .atMost(try OptionRules.integer(value.integer(), in: QueueSettings.concurrencyRange)))
            case "priority": change.priority = errors.check(place, try OptionRules.priority(value.integer()))
            default: fields.refuse(name, &errors)
            }
        }
        if errors.isEmpty, change == QueueChange() {
            errors.add(.pointer(""), "must say what to change: paused, concurrency or priority")
        }
        guard errors.isEmpty else { throw .invalid(errors) }
        return change
    }
}
