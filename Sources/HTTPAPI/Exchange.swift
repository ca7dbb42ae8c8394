import HTTPServer
import JSONBytes

/// One request on its way through its resource. A class, because closures pass it on.
final class Exchange: Sendable {
    let head: HTTPRequestHead
    let body: [UInt8]
    /// What stands in the place of the route's `{…}`, in order.
    let parameters: [String]
    let preferences: Preferences
    let responder: HTTPResponder

    init(
        head: HTTPRequestHead, body: [UInt8], parameters: [String], preferences: Preferences, responder: HTTPResponder
    ) {
        self.head = head
        self.body = body
        self.parameters = parameters
        self.preferences = preferences
        self.responder = responder
    }

    /// To be called exactly once, unless `fail` is.
    func respond(_ response: HTTPResponse) { responder.respond(response) }

    func fail(_ problem: Problem) { responder.respond(problem.response) }
}

extension HTTPResponse {
    /// What every answer carries: nothing here is to be cached, or taken for something else than it says it is.
    private static let commonHeaders = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    private static let jsonHeaders = [("Content-Type", "application/json")] + commonHeaders

    static func json(_ status: Int, _ body: JSON, headers: [(String, String)] = []) -> HTTPResponse {
        HTTPResponse(status: status, headers: jsonHeaders + headers, body: .bytes(body.bytes))
    }

    static func of(_ status: Int, type: String?, headers: [(String, String)] = [], _ body: HTTPBody) -> HTTPResponse {
        var all: [(String, String)] = []
        all.reserveCapacity(headers.count + commonHeaders.count + 1)
        if let type { all.append(("Content-Type", type)) }
        all += commonHeaders
        all += headers
        return HTTPResponse(status: status, headers: all, body: body)
    }
}
