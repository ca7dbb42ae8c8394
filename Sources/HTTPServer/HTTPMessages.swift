/// What is known of a request before its body has been read. A class, because it is handed from room to room.
package final class HTTPRequestHead: Sendable {
    /// As it came; methods are case-sensitive.
    package let method: String
    /// The target as it came, path and query, for logs.
    package let target: String
    /// The path as it came, not decoded.
    package let path: String
    /// The path's parts between slashes, percent-decoded: `/v1/jobs` gives `["v1", "jobs"]`, `/` none, `/v1/` an empty last one.
    package let pathSegments: [String]
    /// Names and values of the query, decoded, in order; a name without `=` has an empty value.
    package let query: [(name: String, value: String)]
    package let headers: HTTPHeaders
    /// The client's IP address without the port; an IPv4 address is never written as an IPv6 one.
    package let remoteAddress: String
    /// Bytes of the body as announced; nil if there is none or it comes in chunks of unknown number.
    package let contentLength: Int?

    /// Throws the refusal (400) of a malformed target.
    package init(
        method: String, target: [UInt8], headers: HTTPHeaders, remoteAddress: String, contentLength: Int?
    ) throws(HTTPRefusal) {
        let parsed = try RequestTarget(parsing: target)
        self.method = method
        self.target = String(decoding: target, as: UTF8.self)
        path = parsed.path
        pathSegments = parsed.segments
        query = parsed.query
        self.headers = headers
        self.remoteAddress = remoteAddress
        self.contentLength = contentLength
    }
}

package struct HTTPRequest: Sendable {
    package let head: HTTPRequestHead
    package let body: [UInt8]

    package init(head: HTTPRequestHead, body: [UInt8]) {
        self.head = head
        self.body = body
    }
}

/// A response as a value. The server adds `Date`, the framing and, when it has to, `Connection: close`; a response to HEAD
/// is the one to GET, sent without its body.
package struct HTTPResponse: Sendable {
    /// 200 to 599.
    package var status: Int
    package var headers: [(String, String)]
    package var body: HTTPBody

    package init(status: Int, headers: [(String, String)] = [], body: HTTPBody = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

package enum HTTPBody: Sendable {
    case none
    case bytes([UInt8])
    /// Of unknown length: sent in chunks (to an HTTP/1.0 client: until the connection closes).
    case stream(any HTTPBodyStream)
}

/// Produces a body piece by piece, at the speed of the client. Each stream belongs to one response.
package protocol HTTPBodyStream: AnyObject, Sendable {
    /// Called on the server's thread when the connection wants more, never again before the last call was answered: must not
    /// block. Call `deliver` exactly once, now or later, from any thread.
    func next(_ deliver: @escaping @Sendable (HTTPBodyPart) -> Void)
    /// The client is gone or the server stops: `next` is not called any more, and what is still delivered is dropped.
    /// Called at most once, on any thread, and never after `.end` or `.failed` was taken.
    func cancel()
}

package enum HTTPBodyPart: Sendable {
    case bytes([UInt8])
    /// The body is complete.
    case end
    /// The body stays incomplete: the connection is cut, so that the client can tell.
    case failed
}
