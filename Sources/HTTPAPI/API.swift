package import HTTPServer
import JobModel
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
    private let routes = RouteTable.standard
    private let bearer: Bearer?
    private let ids = Mutex(ULIDGenerator())

    package init(_ configuration: APIConfiguration) {
        self.configuration = configuration
        submissions = SubmissionReader(configuration)
        bearer = configuration.token.map(Bearer.init)
    }

    package func start() throws { try waits.start() }

    /// Answers everybody who still waits for the end of a batch with how it stands. To be called before the server is stopped.
    package func stop() { waits.stop() }

    /// Costs next to nothing while nobody waits.
    package func storeDidCommit(_ changes: [StoreChange]) { waits.storeDidCommit(changes) }

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
        (status == 413 ? Problem.bodyTooLarge(detail) : Problem(status, detail: detail)).response
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
        if let type = head.headers.first("Content-Type"), !API.isJSON(type) { throw .unsupportedMediaType(type) }
    }

    /// `application/json`, `text/json` or `…/…+json`, with any parameters.
    static func isJSON(_ contentType: String) -> Bool {
        if contentType == "application/json" { return true }
        let type = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        return type == "application/json" || type == "text/json" || (type.contains("/") && type.hasSuffix("+json"))
    }

    func newBatch(_ submission: Submission) -> NewBatch {
        let now = configuration.clock()
        var random = SystemRandomNumberGenerator()
        let ulid = ids.withLock { ids in
            ids.next(milliseconds: UInt64(max(0, now.microseconds) / 1000), using: &random)
        }
        return NewBatch(
            id: BatchID(ulid), handler: submission.handler, options: submission.options, createdAt: now,
            segments: submission.segments)
    }
}
