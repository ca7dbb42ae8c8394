import Platform

// How a request is refused: what the client gets depends on what it is about to send.
extension Exchange {
    /// A refused body of up to this many bytes is read, a longer one costs the client its connection.
    private static let swallowLimit = 65_536
    /// How long a client may take to read a refusal that came in the middle of its body.
    private static let lingerTime = TimeSpan(seconds: 2)

    func refuse(_ refusal: HTTPRefusal, _ scan: HeadScan) -> Bool {
        let response = loop.handler.refusal(status: refusal.status, detail: refusal.detail)
        return refuse(response, scan, closes: refusal.closesConnection)
    }

    /// Before the body. How the refusal is sent depends on what the client is about to send.
    func refuse(_ response: HTTPResponse, _ scan: HeadScan, closes: Bool) -> Bool {
        if !closes, scan.bodyBytes <= Self.swallowLimit {
            // In order, at the end of the request.
            stage = .swallowing(response)
            return true
        }
        if scan.expectsContinue, scan.refusal == nil {
            // The client waits for the word before it sends: libmicrohttpd answers and closes.
            return send(response, closes: true)
        }
        if case .stream = response.body { return send(response, closes: true) }
        refuseInTheMiddle(response)
        return true
    }

    func refuseInTheMiddle(_ refusal: HTTPRefusal) {
        refuseInTheMiddle(loop.handler.refusal(status: refusal.status, detail: refusal.detail))
    }

    /// Libmicrohttpd takes no response while a body is coming in, and closing the socket over unread bytes would take the
    /// answer from the client again. So it is sent directly, and the rest of the body is dropped for a while.
    private func refuseInTheMiddle(_ response: HTTPResponse) {
        stage = .dropping
        dropRequest()
        RawResponse.send(response, to: connection.socket)
        loop.setDeadline(of: connection, after: Self.lingerTime)
    }

    /// The length of the body is no number, or larger than libmicrohttpd can count. False if the head has been taken already.
    func refuseLength(_ length: UnsafeBufferPointer<CChar>) -> Bool {
        guard case .head = stage else { return false }
        stage = .dropping
        let isNumber = !length.isEmpty && length.allSatisfy { (0x30...0x39).contains($0) }
        let refusal =
            isNumber
            ? loop.handler.refusal(status: 413, detail: "No body may be as large as Content-Length says.")
            : loop.handler.refusal(status: 400, detail: "Content-Length is not a number of bytes.")
        RawResponse.send(refusal, to: connection.socket)
        connection.dropUnread()
        return true
    }

    static let noRoom = HTTPRefusal(
        status: 503, detail: "The server holds as many requests as it can. Try again soon.", closesConnection: false)

    static func tooLarge(_ limit: Int) -> HTTPRefusal {
        HTTPRefusal(status: 413, detail: "The body may have at most \(limit) bytes.", closesConnection: true)
    }
}
