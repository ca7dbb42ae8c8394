import JSONBytes
import JobModel
import JobStore

/// Which page of which batches a request asks for.
struct BatchListQuestion: Sendable {
    static let limits = 1...1000
    static let defaultLimit = 50

    var limit: Int
    var before: BatchID?
    var handler: String?
    var queue: String?
    /// Empty: all.
    var statuses: [BatchStatus]

    /// Statuses that a batch can have so far.
    static let knownStatuses: [BatchStatus] = [.queued, .running, .completed, .cancelling, .cancelled]

    init(_ query: [(name: String, value: String)]) throws(Problem) {
        var reader = QueryReader(query)
        limit = reader.integer("limit", in: BatchListQuestion.limits) ?? BatchListQuestion.defaultLimit
        before = reader.value(of: "cursor") { text throws(Complaint) in
            guard let id = BatchID(text) else { throw Complaint("must be the next_cursor of an earlier answer") }
            return id
        }
        handler = reader.value(of: "handler")
        queue = reader.value(of: "queue") { text throws(Complaint) in try OptionRules.queue(text) }
        statuses = []
        for name in reader.values(of: "status") {
            if let status = BatchListQuestion.knownStatuses.first(where: { $0.rawValue == name }) {
                if !statuses.contains(status) { statuses.append(status) }
            } else {
                let names = BatchListQuestion.knownStatuses.map(\.rawValue).joined(separator: ", ")
                reader.complain(about: "status", "must be one of \(names)")
            }
        }
        try reader.finish()
    }

    var filter: BatchFilter {
        var phases: [BatchRecord.Phase] = []
        for status in statuses {
            switch status {
            case .completed: phases.append(.completed)
            case .cancelling: phases.append(.cancelling)
            case .cancelled: phases.append(.cancelled)
            default: if !phases.contains(.active) { phases.append(.active) }
            }
        }
        return BatchFilter(handler: handler, queue: queue, phases: phases)
    }

    func link(to next: BatchID?) -> [(String, String)] {
        guard let next else { return [] }
        var query = [(name: "cursor", value: next.description), (name: "limit", value: String(limit))]
        if let handler { query.append((name: "handler", value: handler)) }
        if let queue { query.append((name: "queue", value: queue)) }
        for status in statuses { query.append((name: "status", value: status.rawValue)) }
        return [("Link", "<\(Path.with("/v1/batches", query: query))>; rel=\"next\"")]
    }
}

extension API {
    /// The store does not tell queued from running batches, so a page of one kind may take several of its pages. Beyond
    /// this many the page is shorter than it could be, and its reader goes on at its cursor.
    private static let maximumPages = 20

    func batches(_ question: BatchListQuestion) throws(Problem) -> BatchPage {
        var found = BatchPage(batches: [], next: question.before)
        for _ in 0..<API.maximumPages {
            let before = found.next
            let limit = question.limit - found.batches.count
            let page = try ask { store throws(StoreError) in
                try store.batches(question.filter, before: before, limit: limit)
            }
            found.batches += page.batches.filter { record in
                question.statuses.isEmpty || question.statuses.contains(status(of: record))
            }
            found.next = page.next
            if page.next == nil || found.batches.count >= question.limit { break }
        }
        return found
    }

    func json(_ page: BatchPage) -> JSON {
        var writer = JSONWriter(reservingCapacity: 64 + 1024 * page.batches.count)
        writer.beginObject()
        writer.key("batches")
        writer.beginArray()
        for record in page.batches { write(record, to: &writer) }
        writer.endArray()
        writer.key("next_cursor")
        writer.value(orNull: page.next?.description)
        writer.endObject()
        return writer.finish()
    }

    private func status(of record: BatchRecord) -> BatchStatus {
        record.status(running: record.isFinished ? 0 : configuration.live.running(in: record.id))
    }
}
