import Logging
import Platform

/// One request on its way in and its response on its way out. Belongs to the server's thread.
final class Exchange {
    private enum Stage {
        /// The request line is in, header fields are still coming.
        case head
        /// The body is coming, at most so many bytes.
        case receiving(limit: Int)
        /// Refused, but the body is small enough to be read and dropped, so that the connection can go on.
        case swallowing(HTTPResponse)
        /// The refusal went out past libmicrohttpd; what still comes is dropped until the client closes.
        case dropping
        /// The handler has the request.
        case waiting(Handoff)
        /// The response is with libmicrohttpd.
        case answering
    }

    /// A refused body of up to this many bytes is read, a longer one costs the client its connection.
    private static let swallowLimit = 65_536
    /// How much of an announced body is allocated before it comes.
    private static let reserveLimit = 1_048_576
    /// How long a client may take to read a refusal that came in the middle of its body.
    private static let lingerTime = TimeSpan(seconds: 2)

    let number: UInt64
    private let connection: Connection
    private let loop: ServerLoop
    private var stage = Stage.head
    private let target: [UInt8]
    /// Only compared, never read: where the target was in libmicrohttpd's memory.
    private let targetStart: UnsafePointer<UInt8>?
    private var head: HTTPRequestHead?
    private var isHead = false
    private var body: [UInt8] = []
    private var feed: BodyFeed?

    init(number: UInt64, target: UnsafeBufferPointer<UInt8>, connection: Connection, loop: ServerLoop) {
        self.number = number
        self.connection = connection
        self.loop = loop
        self.target = Array(target)
        targetStart = target.baseAddress
    }

    /// Called when the head is complete, for every part of the body, at its end, and again after each resumption. Answers
    /// false to have the connection closed.
    func advance(method: UnsafeBufferPointer<UInt8>, version: UnsafeBufferPointer<UInt8>, part: UnsafeRawBufferPointer?)
        -> Bool
    {
        switch stage {
        case .head:
            return headIsComplete(method: method, version: version)
        case .receiving(let limit):
            guard let part else { return handOver() }
            receive(part, limit: limit)
            return true
        case .swallowing(let response):
            return part == nil ? send(response, closes: false) : true
        case .dropping:
            return part != nil
        case .waiting(let handoff):
            return collect(from: handoff)
        case .answering:
            return true
        }
    }

    private func headIsComplete(method: UnsafeBufferPointer<UInt8>, version: UnsafeBufferPointer<UInt8>) -> Bool {
        let line = HeadScan.RequestLine(
            method: method, target: UnsafeBufferPointer(start: targetStart, count: target.count), version: version)
        guard let scan = connection.scanHead(line) else { return false }
        isHead = method.elementsEqual("HEAD".utf8)
        if let refusal = scan.refusal { return refuse(refusal, scan) }
        let head: HTTPRequestHead
        do throws(HTTPRefusal) {
            head = try HTTPRequestHead(
                method: String(decoding: method, as: UTF8.self), target: target, headers: scan.copyFields(),
                remoteAddress: connection.remoteAddress, contentLength: scan.contentLength)
        } catch {
            return refuse(error, scan)
        }
        switch loop.handler.admit(head) {
        case .refuse(let response):
            return refuse(response, scan, closes: false)
        case .accept(let limit):
            if let length = scan.contentLength, length > limit { return refuse(Self.tooLarge(limit), scan) }
            self.head = head
            if let length = scan.contentLength { body.reserveCapacity(min(length, Self.reserveLimit)) }
            stage = .receiving(limit: limit)
            loop.setDeadline(of: connection, after: loop.configuration.bodyTimeout)
            return true
        }
    }

    private func receive(_ part: UnsafeRawBufferPointer, limit: Int) {
        if part.count > limit - body.count {
            let refusal = Self.tooLarge(limit)
            refuseInTheMiddle(loop.handler.refusal(status: refusal.status, detail: refusal.detail))
        } else {
            body.append(contentsOf: part)
            if lacksBody { connection.expectsMore() }
        }
    }

    private func handOver() -> Bool {
        guard let head else { return false }
        let handoff = Handoff(mailbox: loop.mailbox, ticket: ticket)
        stage = .waiting(handoff)
        loop.setDeadline(of: connection, after: nil)
        let request = HTTPRequest(head: head, body: body)
        self.head = nil
        body = []
        loop.handler.handle(request, HTTPResponder(handoff))
        return collect(from: handoff)
    }

    private func collect(from handoff: Handoff) -> Bool {
        switch handoff.takeOrPark() {
        case .response(let response):
            return send(response, closes: false)
        case .abandoned:
            return send(loop.handler.refusal(status: 500, detail: "The request was not answered."), closes: false)
        case nil where loop.isStopping:
            handoff.close()
            return send(loop.handler.refusal(status: 503, detail: "The server is stopping."), closes: true)
        case nil:
            connection.suspend()
            return true
        }
    }

    private func send(_ response: HTTPResponse, closes: Bool) -> Bool {
        // A mailbox ticket or a time-out that comes from here on finds nothing to do.
        stage = .answering
        loop.setDeadline(of: connection, after: nil)
        guard let prepared = prepare(response) else {
            loop.logger.error("no memory for a response")
            return false
        }
        for (name, value) in response.headers where !prepared.addHeader(name, value) {
            loop.logger.error("a response header was left out: it is malformed", metadata: ["name": "\(name)"])
        }
        if closes || loop.isQuiesced { _ = prepared.addHeader("Connection", "close") }
        return connection.queue(prepared, status: response.status)
    }

    private func prepare(_ response: HTTPResponse) -> PreparedResponse? {
        switch response.body {
        case .none:
            return PreparedResponse(copying: [])
        case .bytes(let bytes) where bytes.count <= PreparedResponse.copyLimit:
            return PreparedResponse(copying: bytes)
        case .bytes(let bytes):
            let feed = BodyFeed(bytes: bytes, connection: connection, ticket: ticket, mailbox: loop.mailbox)
            return PreparedResponse(feeding: feed, count: bytes.count)
        case .stream(let stream):
            let feed = BodyFeed(stream: stream, connection: connection, ticket: ticket, mailbox: loop.mailbox)
            self.feed = feed
            guard let prepared = PreparedResponse(feeding: feed, count: nil) else { return nil }
            if isHead { prepared.leaveOutChunks() }
            return prepared
        }
    }

    private func refuse(_ refusal: HTTPRefusal, _ scan: HeadScan) -> Bool {
        let response = loop.handler.refusal(status: refusal.status, detail: refusal.detail)
        return refuse(response, scan, closes: refusal.closesConnection)
    }

    /// Before the body. How the refusal is sent depends on what the client is about to send.
    private func refuse(_ response: HTTPResponse, _ scan: HeadScan, closes: Bool) -> Bool {
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

    /// Libmicrohttpd takes no response while a body is coming in, and closing the socket over unread bytes would take the
    /// answer from the client again. So it is sent directly, and the rest of the body is dropped for a while.
    private func refuseInTheMiddle(_ response: HTTPResponse) {
        stage = .dropping
        head = nil
        body = []
        RawResponse.send(response, to: connection.socket)
        loop.setDeadline(of: connection, after: Self.lingerTime)
    }

    /// The deadline of the head or of the body has passed; the connection is cut after this.
    func timeOut() {
        let response: HTTPResponse
        switch stage {
        case .head: response = tooSlow("head")
        case .receiving: response = tooSlow("body")
        case .swallowing(let refusal): response = refusal
        case .dropping, .waiting, .answering: return
        }
        RawResponse.send(response, to: connection.socket)
    }

    private func tooSlow(_ part: String) -> HTTPResponse {
        loop.handler.refusal(status: 408, detail: "The request's \(part) took too long to arrive.")
    }

    func clientIsGone() {
        if case .waiting(let handoff) = stage { handoff.clientIsGone() }
        feed?.cancel()
    }

    /// Streams are cut; a request with the handler gets its answer when it is looked at next.
    func serverStops() { feed?.cancel() }

    /// Some of the announced body is still to come. Libmicrohttpd sees the end of a chunked one by itself.
    var lacksBody: Bool {
        guard case .receiving = stage, let length = head?.contentLength else { return false }
        return body.count < length
    }

    /// A response is on its way out.
    var isAnswering: Bool {
        if case .answering = stage { return true }
        return false
    }

    /// Libmicrohttpd is done with the request, in whatever way.
    func finish() {
        if case .waiting(let handoff) = stage { handoff.close() }
        feed?.cancel()
        feed = nil
    }

    private var ticket: Ticket { Ticket(connection: connection.id, exchange: number) }

    private static func tooLarge(_ limit: Int) -> HTTPRefusal {
        HTTPRefusal(status: 413, detail: "The body may have at most \(limit) bytes.", closesConnection: true)
    }
}
