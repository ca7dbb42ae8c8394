import Logging
import Platform

/// One request on its way in and its response on its way out, then the next one of the same connection. Belongs to the
/// server's thread.
final class Exchange {
    enum Stage {
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

    /// Memory of a target up to this size is used again.
    private static let keptTarget = 256
    /// How much of an announced body is allocated before it comes.
    private static let reserveLimit = 1_048_576
    /// A body of more bytes may come in several reads.
    private static let smallBody = 4096

    /// Tells this request from all others.
    private(set) var number: UInt64 = 0
    let connection: Connection
    let loop: ServerLoop
    var stage = Stage.head
    private var target: [UInt8] = []
    /// Only compared, never read: where the target was in libmicrohttpd's memory.
    private var targetStart: UnsafePointer<UInt8>?
    private var head: HTTPRequestHead?
    /// Of an earlier request.
    private var acceptedHead: AcceptedHead?
    private var isHead = false
    private var body: [UInt8] = []
    private var feed: BodyFeed?
    /// Bytes of the feed that the client had taken when it was last looked at.
    private var sent = 0
    /// What the body has taken from the budget.
    private var charged = 0

    init(connection: Connection, loop: ServerLoop) {
        self.connection = connection
        self.loop = loop
    }

    /// The next request line is in; `finish` was called for the one before.
    func begin(number: UInt64, target: UnsafeBufferPointer<UInt8>) {
        self.number = number
        stage = .head
        self.target.removeAll(keepingCapacity: self.target.capacity <= Self.keptTarget)
        self.target.append(contentsOf: target)
        targetStart = target.baseAddress
        head = nil
        isHead = false
        body = []
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
            return connection.keepsWaiting() || collect(from: handoff, isFirstLook: false)
        case .answering:
            return true
        }
    }

    private func headIsComplete(method: UnsafeBufferPointer<UInt8>, version: UnsafeBufferPointer<UInt8>) -> Bool {
        let line = HeadScan.RequestLine(
            method: method, target: UnsafeBufferPointer(start: targetStart, count: target.count), version: version)
        isHead = method.elementsEqual("HEAD".utf8)
        if let acceptedHead, acceptedHead.isRepeated(by: line, of: connection),
            charge(acceptedHead.head.contentLength ?? 0)
        {
            receive(acceptedHead.head, bodyBytes: acceptedHead.bodyBytes, limit: acceptedHead.limit)
            return true
        }
        acceptedHead = nil
        guard let scan = connection.scanHead(line) else { return false }
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
            if let length = scan.contentLength {
                if length > limit { return refuse(Self.tooLarge(limit), scan) }
                if !charge(length) { return refuse(Self.noRoom, scan) }
            }
            acceptedHead = AcceptedHead(head, bodyBytes: scan.bodyBytes, limit: limit, line: line, of: connection)
            receive(head, bodyBytes: scan.bodyBytes, limit: limit)
            return true
        }
    }

    /// The body may come.
    private func receive(_ head: HTTPRequestHead, bodyBytes: Int, limit: Int) {
        self.head = head
        if let length = head.contentLength { body.reserveCapacity(min(length, Self.reserveLimit)) }
        if bodyBytes > Self.smallBody { connection.becomeBulky() }
        stage = .receiving(limit: limit)
        loop.setDeadline(of: connection, after: loop.configuration.bodyTimeout)
    }

    private func receive(_ part: UnsafeRawBufferPointer, limit: Int) {
        if part.count > limit - body.count {
            refuseInTheMiddle(Self.tooLarge(limit))
        } else if head?.contentLength == nil, !charge(part.count) {
            refuseInTheMiddle(Self.noRoom)
        } else {
            body.append(contentsOf: part)
            if lacksBody { connection.expectsMore() }
        }
    }

    /// False if there is no room for so many more bytes.
    private func charge(_ bytes: Int) -> Bool {
        guard loop.bodies.take(bytes) else { return false }
        charged += bytes
        return true
    }

    /// What has come of it is not needed.
    func dropRequest() {
        head = nil
        body = []
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
        return collect(from: handoff, isFirstLook: true)
    }

    private func collect(from handoff: Handoff, isFirstLook: Bool) -> Bool {
        switch handoff.takeOrPark() {
        case .response(let response):
            return send(response, closes: false)
        case .abandoned:
            return send(loop.handler.refusal(status: 500, detail: "The request was not answered."), closes: false)
        case nil where connection.isBroken:
            return false
        case nil where loop.isStopping:
            handoff.close()
            return send(loop.handler.refusal(status: 503, detail: "The server is stopping."), closes: true)
        case nil:
            if isFirstLook { connection.wait() } else { connection.suspend() }
            return true
        }
    }

    func send(_ response: HTTPResponse, closes: Bool) -> Bool {
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
            connection.becomeBulky()
            let feed = BodyFeed(bytes: bytes, connection: connection, ticket: ticket, mailbox: loop.mailbox)
            watch(feed)
            return PreparedResponse(feeding: feed, count: bytes.count)
        case .stream(let stream):
            connection.becomeBulky()
            let feed = BodyFeed(stream: stream, connection: connection, ticket: ticket, mailbox: loop.mailbox)
            watch(feed)
            guard let prepared = PreparedResponse(feeding: feed, count: nil) else { return nil }
            if isHead { prepared.leaveOutChunks() }
            return prepared
        }
    }

    /// From now on the client has to take what it is sent.
    private func watch(_ feed: BodyFeed) {
        self.feed = feed
        sent = 0
        loop.setDeadline(of: connection, after: loop.configuration.sendTimeout)
    }

    /// The deadline of the head, of the body or of the response has passed. Answers how much more time there is; if none, the
    /// connection is cut after this.
    func timeOut() -> TimeSpan? {
        let response: HTTPResponse
        switch stage {
        case .head: response = tooSlow("head")
        case .receiving: response = tooSlow("body")
        case .swallowing(let refusal): response = refusal
        case .dropping, .waiting: return nil
        case .answering: return clientKeepsUp() ? loop.configuration.sendTimeout : nil
        }
        RawResponse.send(response, to: connection.socket)
        return nil
    }

    /// Whether the client has taken enough since this was asked last, or everything.
    private func clientKeepsUp() -> Bool {
        guard let feed else { return false }
        let unsent = connection.unsentBytes
        let before = sent
        sent = max(0, feed.taken - unsent)
        return unsent == 0 || sent - before >= loop.configuration.minimumSent
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
    private var lacksBody: Bool {
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
        loop.bodies.giveBack(charged)
        charged = 0
        feed?.cancel()
        feed = nil
    }

    private var ticket: Ticket { Ticket(connection: connection.id, exchange: number) }
}
