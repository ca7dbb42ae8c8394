import HTTPServer
import Platform
import Synchronization
import Testing

@Suite struct StreamTests {
    /// Hands out its parts one by one: at once, or when the test says so.
    final class TestStream: HTTPBodyStream {
        typealias Deliver = @Sendable (HTTPBodyPart) -> Void
        let requests = Collected<Deliver>()
        let cancellations = Collected<Bool>()
        private let parts: Mutex<[HTTPBodyPart]>

        init(_ parts: [HTTPBodyPart] = []) { self.parts = Mutex(Array(parts.reversed())) }

        func next(_ deliver: @escaping Deliver) {
            if let part = parts.withLock({ $0.popLast() }) { deliver(part) } else { requests.add(deliver) }
        }

        func cancel() { cancellations.add(true) }
    }

    private func server(_ stream: TestStream) throws -> HTTPServer {
        try HTTPServer.started(
            TestHandler { request, responder in
                let body: HTTPBody = request.head.path == "/stream" ? .stream(stream) : .none
                responder.respond(HTTPResponse(status: 200, body: body))
            })
    }

    private static func part(_ text: String) -> HTTPBodyPart { .bytes(Array(text.utf8)) }
    private static let request = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test func `parts that are there go out together`() throws {
        let stream = TestStream((0..<1000).map { Self.part("line \($0)\n") } + [.end])
        let server = try server(stream)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(Self.request)
        let response = try client.response()
        #expect(response.headers["transfer-encoding"] == "chunked")
        #expect(response.body == (0..<1000).map { "line \($0)\n" }.joined())
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.response().status == 200)
        #expect(stream.cancellations.all.isEmpty)
    }

    @Test func `a part may come later`() throws {
        let stream = TestStream([Self.part("now,")])
        let server = try server(stream)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(Self.request)
        for number in 1...5 {
            let deliver = try #require(stream.requests.first(number).last)
            deliver(number < 5 ? Self.part("later \(number),") : .end)
        }
        #expect(try client.response().body == "now,later 1,later 2,later 3,later 4,")
    }

    @Test func `what is there is sent before the rest is`() throws {
        let stream = TestStream([Self.part("first")])
        let server = try server(stream)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(Self.request)
        // Nothing follows, and still the first part arrives.
        var seen = ""
        while !seen.hasSuffix("5\r\nfirst\r\n") { seen += String(decoding: try client.take(1), as: UTF8.self) }
        #expect(stream.requests.first(1).count == 1)
    }

    @Test func `a large part is cut into chunks, at the client's speed`() throws {
        let text = String(repeating: "0123456789abcdef", count: 100_000)
        let stream = TestStream([Self.part(text), Self.part(text), .end])
        let server = try server(stream)
        defer { server.stop() }
        let client = try RawClient(port: server.port, receiveBuffer: 8192)
        try client.send(Self.request)
        #expect(try client.response().body == text + text)
    }

    @Test func `an old client reads until the connection closes`() throws {
        let server = try server(TestStream([Self.part("a"), Self.part("b"), .end]))
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("GET /stream HTTP/1.0\r\n\r\n")
        let response = try client.response()
        #expect(response.headers["transfer-encoding"] == nil)
        #expect(response.body == "ab")
    }

    @Test func `a failed stream cuts the connection`() throws {
        let stream = TestStream([Self.part("half"), .failed])
        let server = try server(stream)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(Self.request)
        #expect(throws: RawClient.Failure.self) { try client.response() }
        #expect(stream.cancellations.all.isEmpty)
    }

    @Test func `a client that leaves cancels the stream`() throws {
        let stream = TestStream([Self.part("hello")])
        let server = try server(stream)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(Self.request)
        let deliver = try #require(stream.requests.first(1).first)
        client.close()
        #expect(stream.cancellations.first(1) == [true])
        deliver(Self.part("too late"))
        // Cancelled once, and not asked again.
        server.stop()
        #expect(stream.cancellations.all.count == 1)
        #expect(stream.requests.all.count == 1)
    }

    @Test func `HEAD cancels the stream unread`() throws {
        let stream = TestStream([Self.part("hello"), .end])
        let server = try server(stream)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.response(isHead: true).status == 200)
        #expect(client.isClosedByServer())
        #expect(stream.cancellations.first(1) == [true])
    }

    @Test func `stopping the server cancels the stream and cuts it`() throws {
        let stream = TestStream([Self.part("hello")])
        let server = try server(stream)
        let client = try RawClient(port: server.port)
        try client.send(Self.request)
        #expect(stream.requests.first(1).count == 1)
        server.stop()
        #expect(stream.cancellations.all == [true])
        #expect(throws: RawClient.Failure.self) { try client.response() }
    }

    @Test func `a stream for a client that is gone is cancelled`() throws {
        let responders = Collected<HTTPResponder>()
        let gone = Collected<Bool>()
        let server = try HTTPServer.started(
            TestHandler { _, responder in
                responder.onDisconnect { gone.add(true) }
                responders.add(responder)
            })
        let client = try RawClient(port: server.port)
        try client.send(Self.request)
        let responder = try #require(responders.first(1).first)
        client.vanish()
        #expect(gone.first(1) == [true])
        server.stop()
        let stream = TestStream()
        responder.respond(HTTPResponse(status: 200, body: .stream(stream)))
        #expect(stream.cancellations.all == [true])
    }

    @Test func `a client that has sent its last byte gets the whole stream`() throws {
        let stream = TestStream([Self.part("now,")])
        let server = try server(stream)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(Self.request)
        client.finishSending()
        let deliver = try #require(stream.requests.first(1).first)
        pause(.milliseconds(50))
        deliver(Self.part("later"))
        try #require(stream.requests.first(2).count == 2)
        stream.requests.all[1](.end)
        #expect(try client.response().body == "now,later")
        #expect(client.isClosedByServer())
    }

    @Test func `a client that takes too little is cut off, however it drips`() throws {
        let stream = TestStream((0..<1000).map { _ in Self.part(String(repeating: "x", count: 65_536)) })
        let server = try HTTPServer.started(
            TestHandler { _, responder in responder.respond(HTTPResponse(status: 200, body: .stream(stream))) }
        ) {
            $0.sendTimeout = .milliseconds(300)
            $0.minimumSent = 65_536
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port, receiveBuffer: 4096)
        try client.send(Self.request)
        let limit = MonotonicTime.now() + TimeSpan(seconds: 10)
        while stream.cancellations.all.isEmpty, MonotonicTime.now() < limit {
            _ = try? client.take(1)
            pause(.milliseconds(20))
        }
        #expect(stream.cancellations.all == [true])
    }

    @Test func `a client that takes what there is may wait for more as long as it likes`() throws {
        let stream = TestStream([Self.part("0")])
        let server = try HTTPServer.started(
            TestHandler { _, responder in responder.respond(HTTPResponse(status: 200, body: .stream(stream))) }
        ) { $0.sendTimeout = .milliseconds(50) }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(Self.request)
        for number in 1...4 {
            let deliver = try #require(stream.requests.first(number).last)
            pause(.milliseconds(120))
            deliver(number < 4 ? Self.part("\(number)") : .end)
        }
        #expect(try client.response().body == "0123")
    }
}
