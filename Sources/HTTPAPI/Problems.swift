import JSONBytes
import JobModel
import JobStore

// Every problem that the API knows, by name.
extension Problem {
    static func notFound(_ detail: String) -> Problem { Problem(404, detail: detail) }

    static func methodNotAllowed(_ method: String, allowed: [String]) -> Problem {
        let list = allowed.joined(separator: ", ")
        return Problem(
            405, detail: "This resource does not know the method \(shortened(method)), only \(list).",
            headers: [("Allow", list)])
    }

    static let unauthorized = Problem(
        401, detail: "This service wants a bearer token: send the header 'Authorization: Bearer TOKEN'.",
        headers: [("WWW-Authenticate", "Bearer")])

    static let fromElsewhere = Problem(
        403,
        detail:
            "This service answers only requests to localhost, 127.0.0.1 or [::1] that do not come from another site's "
            + "web page. To use another name, start it with a token.")

    static func unsupportedMediaType(_ given: String) -> Problem {
        Problem(
            415,
            detail: "The body must be JSON, but its Content-Type is \(shortened(given)). "
                + "With curl, add -H 'Content-Type: application/json'.",
            headers: [("Accept", "application/json")])
    }

    static func unsupportedEncoding(_ given: String) -> Problem {
        Problem(
            415, detail: "The body must not be compressed, but its Content-Encoding is \(shortened(given)).",
            headers: [("Accept-Encoding", "identity")])
    }

    static let draining = Problem(503, detail: "The service is shutting down.", headers: [("Retry-After", "5")])

    /// - Parameter limit: what is allowed, in bytes, where that is known.
    static func bodyTooLarge(_ detail: String, limit: Int? = nil) -> Problem {
        Problem(
            413, type: "body-too-large", title: "The body is too large", detail: detail,
            members: limit.map { [("limit", JSON(number: $0))] } ?? [])
    }

    static func invalidJSON(_ error: JSONSyntaxError, in body: [UInt8]) -> Problem {
        let pointer = PointerFinder.pointer(to: error.offset, in: body)
        return Problem(
            400, type: "invalid-json", title: "The body is not valid JSON", detail: "\(error)",
            errors: [FieldError(place: .pointer(pointer), detail: "\(error)")],
            members: [("offset", JSON(number: error.offset))])
    }

    /// The body is JSON, but not what it should be.
    static func invalid(_ errors: FieldErrors, knownHandlers: [String] = []) -> Problem {
        let onlyHandler = errors.namesUnknownHandler && errors.all.count == 1
        var problem = Problem(
            422, type: onlyHandler ? "unknown-handler" : "invalid-request",
            title: onlyHandler ? "There is no such handler" : "The request is not valid",
            detail: errors.sentence, errors: errors.all)
        if errors.namesUnknownHandler { problem.addHandlers(knownHandlers) }
        return problem
    }

    static func invalidQuery(_ errors: FieldErrors) -> Problem {
        Problem(
            400, type: "invalid-query", title: "The query is not valid", detail: errors.sentence, errors: errors.all)
    }

    /// The path names a handler that is not there.
    static func noHandler(_ name: String, knownHandlers: [String]) -> Problem {
        var problem = Problem(
            404, type: "unknown-handler", title: "There is no such handler",
            detail: "There is no handler named \(shortened(name)).")
        problem.addHandlers(knownHandlers)
        return problem
    }

    /// A submission for a handler that cannot run now.
    static func handlerUnavailable(_ name: String, _ unhealthy: Unhealthy) -> Problem {
        let seconds = Int(min(max(1, unhealthy.retryAfter), 3600).rounded(.up))
        return Problem(
            503, type: "handler-unavailable", title: "The handler cannot run now",
            detail: "The handler \(shortened(name)) cannot run now: \(unhealthy.reason)",
            headers: [("Retry-After", String(seconds))])
    }

    static let tooManyStreams = Problem(
        503, type: "too-many-streams", title: "Too many streams of events",
        detail: "No more streams of events are served at once. Ask for the batch instead, or try again later.",
        headers: [("Retry-After", "5")])

    /// A longer list helps nobody who mistyped a name.
    private static let maximumListedHandlers = 20

    private mutating func addHandlers(_ names: [String]) {
        guard names.count <= Problem.maximumListedHandlers else { return }
        members.append(("handlers", JSON(array: names) { $1.value($0) }))
    }

    /// The results of a batch were asked for as plain values, and not all of its jobs succeeded.
    /// - Parameter failed: the first of them.
    static func notAllSucceeded(_ batch: BatchRecord, failed: [Int]) -> Problem {
        let counts = batch.counts
        let parts = [(counts.failed, "failed"), (counts.cancelled, "were cancelled"), (counts.expired, "expired")]
            .compactMap { $0.0 > 0 ? "\($0.0) \($0.1)" : nil }
        return Problem(
            422, type: "jobs-not-succeeded", title: "Not every job succeeded",
            detail: "Of \(batch.total) jobs \(parts.joined(separator: " and ")). The batch has all results and errors.",
            instance: Path.batch(batch.id),
            members: [
                ("batch", JSON(text: "\(batch.id)")), ("failed_count", JSON(number: counts.failed)),
                ("failed", JSON(array: failed) { $1.value($0) }),
            ])
    }

    static func notFinished(_ batch: BatchRecord) -> Problem {
        Problem(
            409, type: "batch-not-finished", title: "The batch is not finished",
            detail: "The results can be had as an array of values when every job has an outcome; "
                + "so far \(batch.counts.finished) of \(batch.total) have one.",
            instance: Path.batch(batch.id), headers: [("Retry-After", "1")])
    }

    static func store(_ error: StoreError) -> Problem {
        switch error {
        case .full(let detail):
            Problem(
                507, type: "storage-full", title: "The storage is full",
                detail: "Nothing was stored, because the storage is full: \(detail)")
        case .crowded(let detail):
            Problem(
                503, type: "too-many-queues", title: "Too many queues are in use",
                detail: "Nothing was stored: \(detail)", headers: [("Retry-After", "10")])
        case .closed:
            .draining
        case .locked, .unusable, .broken:
            Problem(
                503,
                detail: "The storage failed. Whether this request took effect is not known: look before trying again.",
                headers: [("Retry-After", "5")])
        case .conflict:
            Problem(500, detail: "The storage refused this as a contradiction.")
        }
    }

    /// Text from a request, as far as it may be repeated in an answer.
    static func shortened(_ text: String) -> String {
        text.utf8.count <= 100 ? "'\(text)'" : "'\(text.prefix(80))…'"
    }
}

extension JSON {
    init(number: Int) {
        var writer = JSONWriter()
        writer.value(number)
        self = writer.finish()
    }

    init(text: String) {
        var writer = JSONWriter()
        writer.value(text)
        self = writer.finish()
    }

    init<Element>(array: [Element], _ write: (Element, inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.beginArray()
        for element in array { write(element, &writer) }
        writer.endArray()
        self = writer.finish()
    }
}
