import HTTPServer
import JSONBytes
import JobModel
import JobStore

// /v1/batches/{batch}/results
extension API {
    func results(_ exchange: Exchange) {
        do throws(Problem) {
            let id = try batchID(exchange.parameters[0])
            let question = try ResultsQuestion(exchange.head)
            read(exchange) { [self] () throws(Problem) in
                let batch = try existingBatch(id)
                switch question.form {
                case .values: try answer(exchange, withValuesOf: batch, question.selection)
                case .lines:
                    try answer(
                        exchange, ResultsReader(configuration.store, batch, .lines, question.selection),
                        type: "application/x-ndjson")
                case .page: try answer(exchange, withPageOf: batch, question)
                }
            }
        } catch {
            exchange.fail(error)
        }
    }

    /// How many failed jobs are named to somebody who wanted nothing but results.
    private static let maximumNamedFailures = 100

    /// The results alone, as an array; a problem unless all jobs succeeded. On a task thread.
    func answer(_ exchange: Exchange, withValuesOf batch: BatchRecord, _ selection: ResultsSelection) throws(Problem) {
        guard batch.isFinished else { throw .notFinished(batch) }
        guard batch.counts.succeeded == batch.total else {
            let failed = try ask { store throws(StoreError) in
                try store.failedIndices(of: batch.id, limit: API.maximumNamedFailures)
            }
            throw .notAllSucceeded(batch, failed: failed)
        }
        try answer(
            exchange, ResultsReader(configuration.store, batch, .values, selection), type: "application/json",
            headers: [("Content-Location", Path.with(Path.batch(batch.id) + "/results", query: [("view", "values")]))])
    }

    /// In one piece if one page is all, else as a stream.
    private func answer(
        _ exchange: Exchange, _ reader: ResultsReader, type: String, headers: [(String, String)] = []
    ) throws(Problem) {
        var reader = reader
        let page = try ask { _ throws(StoreError) in try reader.page() }
        let body: HTTPBody =
            page.isLast
            ? .bytes(page.bytes)
            : .stream(
                ResultsStream(
                    startingWith: page, reader, tasks: configuration.tasks, logger: configuration.logger))
        exchange.respond(.of(200, type: type, headers: headers, body))
    }

    /// A page gets no longer than about this, whatever its limit says. Bytes.
    private static let maximumPageBytes = 1 << 20

    private func answer(
        _ exchange: Exchange, withPageOf batch: BatchRecord, _ question: ResultsQuestion
    ) throws(Problem) {
        var selection = question.selection
        let limit = selection.limit ?? BatchListQuestion.defaultLimit
        selection.limit = limit
        var reader = ResultsReader(configuration.store, batch, .objects, selection)
        var objects: [UInt8] = []
        var isLast = false
        while !isLast && objects.count < API.maximumPageBytes {
            let page = try ask { _ throws(StoreError) in try reader.page() }
            if !objects.isEmpty && !page.bytes.isEmpty { objects.append(UInt8(ascii: ",")) }
            objects += page.bytes
            isLast = page.isLast
        }
        let next = try ask { _ throws(StoreError) in try reader.hasMore() } ? reader.next : nil
        var writer = JSONWriter(reservingCapacity: objects.count + 64)
        writer.beginObject()
        writer.key("results")
        writer.beginArray()
        if !objects.isEmpty { writer.raw(bytes: objects) }
        writer.endArray()
        writer.key("next_cursor")
        writer.value(orNull: next.map(String.init))
        writer.endObject()
        var headers: [(String, String)] = []
        if let next {
            let query = [(name: "cursor", value: String(next)), (name: "limit", value: String(limit))]
            let path = Path.with(Path.batch(batch.id) + "/results", query: query)
            headers.append(("Link", "<\(path)>; rel=\"next\""))
        }
        exchange.respond(.json(200, writer.finish(), headers: headers))
    }
}

/// Which results a request asks for, and in which form.
struct ResultsQuestion: Sendable, Equatable {
    enum Form: Sendable { case lines, page, values }

    var form: Form
    var selection: ResultsSelection

    init(_ head: HTTPRequestHead) throws(Problem) {
        var reader = QueryReader(head.query)
        let isValues = reader.value(of: "view") { text throws(Complaint) in
            guard text == "values" else { throw Complaint("must be \"values\"") }
            return true
        }
        form = isValues == true ? .values : ResultsQuestion.form(accepting: head.headers.all("Accept"))
        selection = ResultsSelection()
        selection.limit = reader.integer("limit", in: BatchListQuestion.limits)
        let first = reader.value(of: "cursor") { text throws(Complaint) in
            guard let first = Int(text), first >= 0, String(first) == text else {
                throw Complaint("must be the next_cursor of an earlier answer")
            }
            return first
        }
        if let first { selection.first = first }
        try reader.finish()
    }

    /// Lines, unless JSON is wanted and lines are not, or are not mentioned. Who wants neither gets lines all the same: RFC 9110,
    /// section 12.5.1, lets a server disregard what it cannot meet.
    static func form(accepting accept: [String]) -> Form {
        var wantsJSON = false
        for type in accept.joined(separator: ",").split(separator: ",") {
            let parts = type.lowercased().filter { $0 != " " && $0 != "\t" }.split(separator: ";")
            guard let name = parts.first, !parts.dropFirst().contains(where: isZeroQuality) else { continue }
            if name == "application/x-ndjson" || name == "application/ndjson" { return .lines }
            if name == "application/json" { wantsJSON = true }
        }
        return wantsJSON ? .page : .lines
    }

    /// `q=0`, with up to three zeros behind a point: not wanted at all.
    private static func isZeroQuality(_ parameter: Substring) -> Bool {
        parameter.hasPrefix("q=") && Double(parameter.dropFirst(2)) == 0
    }
}
