/// What the server asks of the API behind it. All calls come on the server's one thread and must not block.
package protocol HTTPHandler: Sendable {
    /// The head is complete and nothing of the body has been read. If the head is accepted, the same head is accepted again on
    /// the same connection without asking.
    func admit(_ head: HTTPRequestHead) -> HTTPAdmission
    /// The request is complete. Answer through `responder`, now or later.
    func handle(_ request: HTTPRequest, _ responder: HTTPResponder)
    /// Renders what the server itself refuses (400, 408, 413, 417, 431, 500, 501, 503); `detail` is a sentence for the client.
    func refusal(status: Int, detail: String) -> HTTPResponse
}

package enum HTTPAdmission: Sendable {
    /// Read the body; a longer one is refused with 413, at its head if it announces its length.
    case accept(maximumBodyBytes: Int)
    /// Answer this at once; the body is not read.
    case refuse(HTTPResponse)
}

/// Why the server itself refuses a request.
package struct HTTPRefusal: Error, Equatable {
    package let status: Int
    /// A sentence that names what is wrong.
    package let detail: String
    /// The head cannot be trusted to say where the next request starts, so the connection must not be used again.
    let closesConnection: Bool

    package init(status: Int, detail: String) {
        self.init(status: status, detail: detail, closesConnection: false)
    }

    init(status: Int, detail: String, closesConnection: Bool) {
        self.status = status
        self.detail = detail
        self.closesConnection = closesConnection
    }
}
