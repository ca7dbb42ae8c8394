package import HTTPServer
package import JobModel
package import JobStore
import Platform
import Synchronization

/// Jobmill's HTTP interface: what a request means, and what is answered.
///
/// The HTTP thread parses small requests and hands them on; whatever blocks or takes long runs on `configuration.tasks`.
package final class API: HTTPHandler, Service, StoreObserver {
    /// Larger bodies are looked at on a task thread, so that nobody else's request waits for them. Bytes.
    private static let largeBody = 64 * 1024

    package let name = "api"
    let configuration: APIConfiguration
    let submissions: SubmissionReader
    let waits = WaitRegistry()
    let events: EventHub
    private let routes = RouteTable.standard
    private let bearer: Bearer?
    private let ids = Mutex(ULIDGenerator())
    let storageLog: StorageLog
    private let draining = Atomic(false)

    package init(_ configuration: APIConfiguration) {
        self.configuration = configuration
        submissions = SubmissionReader(configuration)
        bearer = configuration.token.map(Bearer.init)
        storageLog = StorageLog(configuration.logger)
        events = EventHub(configuration)
    }

    package func start() throws {
        try waits.start()
        try events.start()
    }

    /// Other handlers are registered: from now on submissions may name those that `configuration.handlers` tells now.
    package func readHandlers() { submissions.setHandlers(configuration.handlers()) }

    /// From now on no new work is taken, and the service is not ready. Everything else is answered as before.
    package func drain() { draining.store(true, ordering: .relaxed) }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Answers everybody who still waits for the end of a batch with how it stands, and ends all streams of events. To be called
    /// before the server is stopped.
    package func stop() {
        waits.stop()
        events.stop()
    }

    /// Costs next to nothing while nobody waits.
    package func storeDidCommit(_ changes: [StoreChange]) {
        waits.storeDidCommit(changes)
        events.storeDidCommit(changes)
    }

    /// Who is to hear of jobs that run.
    package var liveObserver: any LiveObserver { events }

    package func admit(_ head: HTTPRequestHead) -> HTTPAdmission {
        do throws(Problem) {
            let match = routes.match(head.method, head.pathSegments)
            try authorize(head, match)
            let (route, _) = try route(for: head, match)
            guard route.content != .none else { return .accept(maximumBodyBytes: 0) }
            try checkContent(of: head)
            return .accept(maximumBodyBytes: configuration.limits.maximumBodyBytes)
        } catch {
            return .refuse(error.response)
        }
    }

    package func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        do throws(Problem) {
            // Whether the client may ask was decided when its head came.
            let match = routes.match(request.head.method, request.head.pathSegments)
            let (route, parameters) = try route(for: request.head, match)
            if route.content == .json, isDraining { throw .draining }
            let exchange = Exchange(
                head: request.head, body: request.body, parameters: parameters,
                preferences: Preferences(request.head.headers.all("Prefer")), responder: responder)
            if request.body.count > API.largeBody {
                configuration.tasks.submit { route.act(self, exchange) }
            } else {
                route.act(self, exchange)
            }
        } catch {
            responder.respond(error.response)
        }
    }

    package func refusal(status: Int, detail: String) -> HTTPResponse {
        switch status {
        case 413: Problem.bodyTooLarge(detail).response
        case 503: Problem(503, detail: detail, headers: [API.retryAfter]).response
        default: Problem(status, detail: detail).response
        }
    }

    private func authorize(_ head: HTTPRequestHead, _ match: RouteTable.Match) throws(Problem) {
        if case .route(let route, _) = match, route.isPublic {
            // Whoever asks whether the service is well needs no token.
        } else if let bearer {
            guard bearer.admits(head.headers.all("Authorization")) else { throw .unauthorized }
        } else if configuration.keepsWebPagesOut {
            guard BrowserGuard.admits(head.headers) else { throw .fromElsewhere }
        }
    }

    private func route(
        for head: HTTPRequestHead, _ match: RouteTable.Match
    ) throws(Problem) -> (Route, parameters: [String]) {
        switch match {
        case .route(let route, let parameters): return (route, parameters)
        case .otherMethods(let methods): throw .methodNotAllowed(head.method, allowed: methods)
        case .none: throw .notFound("There is nothing at \(Problem.shortened(head.path)).")
        }
    }

    private func checkContent(of head: HTTPRequestHead) throws(Problem) {
        let limit = configuration.limits.maximumBodyBytes
        if let length = head.contentLength {
            if length > limit { throw .bodyTooLarge("A body may have at most \(limit) bytes.", limit: limit) }
            if length == 0 { return }
        }
        if let coding = head.headers.first("Content-Encoding"), !API.isIdentity(coding) {
            throw .unsupportedEncoding(coding)
        }
        if head.headers.isFirst("Content-Type", "application/json") { return }
        if let type = head.headers.first("Content-Type"), !API.isJSON(type) { throw .unsupportedMediaType(type) }
    }

    /// No coding at all, however often that is said.
    private static func isIdentity(_ contentEncoding: String) -> Bool {
        contentEncoding.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" })
            .allSatisfy { $0.lowercased() == "identity" }
    }

    /// `application/json`, `text/json` or `…/…+json`, with any parameters.
    static func isJSON(_ contentType: String) -> Bool {
        let type = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        return type == "application/json" || type == "text/json" || (type.contains("/") && type.hasSuffix("+json"))
    }

    /// What a request wants stored; a problem if its handler cannot run now.
    func newBatch(_ submission: Submission, _ head: HTTPRequestHead) throws(Problem) -> NewBatch {
        if let unhealthy = configuration.live.unhealthy(submission.handler), !unhealthy.acceptsJobs {
            throw .handlerUnavailable(submission.handler, unhealthy)
        }
        let now = configuration.clock()
        var random = SystemRandomNumberGenerator()
        let ulid = ids.withLock { ids in
            ids.next(milliseconds: UInt64(max(0, now.microseconds) / 1000), using: &random)
        }
        var options = submission.options
        options.traceparent = TraceContext.parent(head.headers.all("traceparent"))
        return NewBatch(
            id: BatchID(ulid), handler: submission.handler, options: options, createdAt: now,
            shared: submission.shared, segments: submission.segments)
    }
}
