/// One kind of request that is answered.
final class Route: Sendable {
    enum Content: Sendable {
        case none, json
        /// No body, or an empty object.
        case emptyObject
    }

    let method: String
    /// Such as `/v1/batches/{batch}`, as in openapi.yaml.
    let template: String
    let content: Content
    /// Is answered without a token.
    let isPublic: Bool
    let act: @Sendable (API, Exchange) -> Void
    /// Nil stands for any one segment.
    fileprivate let pattern: [String?]

    init(
        _ method: String, _ template: String, _ content: Content = .none, isPublic: Bool = false,
        _ act: @escaping @Sendable (API, Exchange) -> Void
    ) {
        self.method = method
        self.template = template
        self.content = content
        self.isPublic = isPublic
        self.act = act
        pattern = template.split(separator: "/").map { $0.hasPrefix("{") ? nil : String($0) }
    }

    /// What stands in the place of the `{…}`, in order; nil if the path is not of this route.
    fileprivate func parameters(in segments: [String]) -> [String]? {
        guard segments.count == pattern.count else { return nil }
        var parameters: [String] = []
        for (segment, wanted) in zip(segments, pattern) {
            if let wanted {
                guard segment == wanted else { return nil }
            } else {
                parameters.append(segment)
            }
        }
        return parameters
    }
}

/// Everything that the API answers, and who answers it.
struct RouteTable: Sendable {
    static let standard = RouteTable([
        Route("POST", "/v1/jobs", .json) { $0.submitJob($1) },
        Route("POST", "/v1/batches", .json) { $0.submitBatch($1) },
        Route("POST", "/v1/map/{handler}", .json) { $0.map($1) },
        Route("GET", "/v1/batches") { $0.listBatches($1) },
        Route("GET", "/v1/batches/{batch}") { $0.showBatch($1) },
        Route("GET", "/v1/batches/{batch}/results") { $0.results($1) },
        Route("GET", "/v1/batches/{batch}/jobs/{index}") { $0.showJobOfBatch($1) },
        Route("POST", "/v1/batches/{batch}/cancel", .emptyObject) { $0.cancelBatch($1) },
        Route("GET", "/v1/jobs/{job}") { $0.showJob($1) },
        Route("GET", "/v1/batches/{batch}/events") { $0.streamBatch($1) },
        Route("GET", "/v1/events") { $0.streamEverything($1) },
        Route("GET", "/v1/pool") { $0.showPool($1) },
        Route("PATCH", "/v1/pool", .json) { $0.resizePool($1) },
        Route("GET", "/v1/queues") { $0.listQueues($1) },
        Route("GET", "/v1/queues/{queue}") { $0.showQueue($1) },
        Route("PATCH", "/v1/queues/{queue}", .json) { $0.changeQueue($1) },
        Route("GET", "/v1/handlers") { $0.listHandlers($1) },
        Route("GET", "/healthz", isPublic: true) { $0.showHealth($1) },
        Route("GET", "/readyz", isPublic: true) { $0.showReadiness($1) },
        Route("GET", "/openapi.yaml", isPublic: true) { $0.showDescription($1) },
    ])

    enum Match {
        case route(Route, parameters: [String])
        /// There is such a path, but not for this method.
        case otherMethods([String])
        case none
    }

    let routes: [Route]

    init(_ routes: [Route]) { self.routes = routes }

    /// HEAD is a GET whose answer the server sends without its body.
    func match(_ method: String, _ segments: [String]) -> Match {
        let wanted = method == "HEAD" ? "GET" : method
        for route in routes where route.method == wanted {
            if let parameters = route.parameters(in: segments) { return .route(route, parameters: parameters) }
        }
        let others = routes.filter { $0.parameters(in: segments) != nil }.map(\.method)
        guard !others.isEmpty else { return .none }
        return .otherMethods(others.flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] })
    }
}
