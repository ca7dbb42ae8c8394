import Glibc
import HTTPServer
import Platform
import Synchronization
import Testing

@Suite struct LifecycleTests {
    private static let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test func `a port in use is one clear sentence`() throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        let expected = HTTPServerError.cannotListen(
            host: "127.0.0.1", port: server.port, reason: "another program is using this port")
        #expect(throws: expected) {
            _ = try HTTPServer.started { $0.port = server.port }
        }
        #expect(expected.description == "cannot listen on 127.0.0.1:\(server.port): another program is using this port")
    }

    @Test(arguments: [("192.0.2.1", 0), ("no.such.host.invalid", 0), ("127.0.0.1", 65_536), ("127.0.0.1", -1)])
    func `a bad address is a typed error`(_ host: String, _ port: Int) throws {
        do {
            _ = try HTTPServer.started(host: host) { $0.port = port }
            Issue.record("it listens on \(host):\(port)")
        } catch HTTPServerError.cannotListen(host: host, port: port, let reason) {
            #expect(!reason.isEmpty)
        }
    }

    @Test(arguments: ["::1", "::"]) func `IPv6 addresses work`(_ host: String) throws {
        let addresses = Collected<String>()
        let server = try HTTPServer.started(
            TestHandler { request, responder in
                addresses.add(request.head.remoteAddress)
                responder.respond(.text("ok"))
            }, host: host)
        defer { server.stop() }
        let client = try RawClient(port: server.port, host: "::1")
        try client.send(Self.request)
        #expect(try client.response().body == "ok")
        guard host == "::" else { return }
        let old = try RawClient(port: server.port, host: "127.0.0.1")
        try old.send(Self.request)
        #expect(try old.response().body == "ok")
        #expect(addresses.first(2) == ["::1", "127.0.0.1"])
    }

    @Test func `a server stops twice, and without a start, but starts once`() throws {
        let server = try HTTPServer.started()
        #expect(throws: HTTPServerError.startedTwice) { try server.start() }
        server.stop()
        server.stop()
        let never = try HTTPServer(
            configuration: HTTPServerConfiguration(host: "127.0.0.1", port: 0), handler: TestHandler())
        never.stop()
        #expect(throws: HTTPServerError.startedTwice) { try never.start() }
    }

    @Test func `after quiesce nobody connects and those who are there are served`() throws {
        let responders = Collected<HTTPResponder>()
        let server = try HTTPServer.started(
            TestHandler { request, responder in
                if request.head.path == "/wait" { responders.add(responder) } else { responder.respond(.text("ok")) }
            })
        defer { server.stop() }
        let idle = try RawClient(port: server.port)
        try idle.send(Self.request)
        #expect(try idle.response().headers["connection"] == nil)
        let waiting = try RawClient(port: server.port)
        try waiting.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        let responder = try #require(responders.first(1).first)
        server.quiesce()
        server.quiesce()
        #expect(throws: SystemError("connect", code: ECONNREFUSED)) { _ = try RawClient(port: server.port) }
        responder.respond(.text("waited"))
        #expect(try waiting.response().body == "waited")
        #expect(waiting.isClosedByServer())
        try idle.send(Self.request)
        #expect(try idle.response().headers["connection"] == "close")
        #expect(idle.isClosedByServer())
    }

    @Test func `stopping answers what waits`() throws {
        let (responders, gone) = (Collected<HTTPResponder>(), Collected<Bool>())
        let server = try HTTPServer.started(
            TestHandler { _, responder in
                responder.onDisconnect { gone.add(true) }
                responders.add(responder)
            })
        let clients = try (0..<20).map { _ in try RawClient(port: server.port) }
        for client in clients { try client.send(Self.request) }
        let waiting = responders.first(20)
        #expect(waiting.count == 20)
        server.stop()
        for client in clients {
            let response = try client.response()
            #expect(response.status == 503)
            #expect(response.body == "refused: The server is stopping.")
            #expect(client.isClosedByServer())
        }
        #expect(gone.all.count == 20)
        for responder in waiting { responder.respond(.text("too late")) }
    }

    @Test func `stopping in the midst of requests is safe`() throws {
        let threads = TaskThreads(name: "answers", count: 2)
        try threads.start()
        let server = try HTTPServer.started(
            TestHandler { request, responder in threads.submit { responder.respond(.text("ok")) } })
        let clients = try (0..<50).map { _ in try RawClient(port: server.port) }
        for client in clients { try client.send(String(repeating: Self.request, count: 20)) }
        server.stop()
        threads.stop()
        for client in clients { _ = try? client.rest() }
    }

    @Test func `connections beyond the limit wait`() throws {
        let server = try HTTPServer.started { $0.connectionLimit = 2 }
        defer { server.stop() }
        let (one, two) = (try RawClient(port: server.port), try RawClient(port: server.port))
        for client in [one, two] {
            try client.send(Self.request)
            #expect(try client.response().status == 200)
        }
        let three = try RawClient(port: server.port)
        try three.send(Self.request)
        one.close()
        #expect(try three.response().status == 200)
    }

    @Test func `one address gets no more than its share`() throws {
        let server = try HTTPServer.started { $0.perAddressLimit = 1 }
        defer { server.stop() }
        let one = try RawClient(port: server.port)
        try one.send(Self.request)
        #expect(try one.response().status == 200)
        let two = try RawClient(port: server.port)
        #expect(two.isClosedByServer())
    }

    @Test func `an upload that is cut off ends at once`() throws {
        let admitted = Collected<Int>()
        let server = try HTTPServer.started(
            TestHandler(admit: { head in
                if let length = head.contentLength { admitted.add(length) }
                return .accept(maximumBodyBytes: 2_000_000)
            })
        ) { $0.perAddressLimit = 1 }
        defer { server.stop() }
        let one = try RawClient(port: server.port)
        try one.send(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + String(repeating: "x", count: 500_000))
        #expect(admitted.first(1) == [1_000_000])
        one.close()
        #expect(
            eventually {
                guard let two = try? RawClient(port: server.port), (try? two.send(Self.request)) != nil else {
                    return false
                }
                return (try? two.response().status) == 200
            })
    }

    @Test func `an idle server uses no CPU`() throws {
        let threads = Collected<clockid_t>()
        let server = try HTTPServer.started(
            TestHandler { _, responder in
                var clock = clockid_t()
                pthread_getcpuclockid(pthread_self(), &clock)
                threads.add(clock)
                if threads.all.count == 1 { responder.respond(.text("ok")) } else { Self.keep(responder) }
            })
        defer { server.stop() }
        // One connection is idle, one waits for its answer.
        let (idle, waiting) = (try RawClient(port: server.port), try RawClient(port: server.port))
        try idle.send(Self.request)
        #expect(try idle.response().status == 200)
        try waiting.send(Self.request)
        let clock = try #require(threads.first(2).last)
        let before = Self.nanoseconds(clock)
        pause(.milliseconds(300))
        #expect(Self.nanoseconds(clock) - before < 30_000_000)
    }

    @Test func `nothing of a request outlives it`() throws {
        final class Owner: Sendable {}
        final class Stream: HTTPBodyStream {
            let owner: Owner
            init(_ owner: Owner) { self.owner = owner }
            func next(_ deliver: @escaping @Sendable (HTTPBodyPart) -> Void) { deliver(.end) }
            func cancel() {}
        }
        weak var handlerOwner: Owner?
        weak var streamOwner: Owner?
        do {
            let owner = Owner()
            handlerOwner = owner
            let streams = Mutex<Owner?>(Owner())
            streamOwner = streams.withLock { $0 }
            let server = try HTTPServer.started(
                TestHandler { [owner] request, responder in
                    responder.onDisconnect { [owner] in _ = owner }
                    let stream = streams.withLock { $0.take() }
                    if let stream {
                        responder.respond(HTTPResponse(status: 200, body: .stream(Stream(stream))))
                    } else {
                        Self.keep(responder)
                    }
                })
            let client = try RawClient(port: server.port)
            try client.send(Self.request + Self.request)
            #expect(try client.response().body == "")
            #expect(eventually { streamOwner == nil })
            server.stop()
        }
        #expect(handlerOwner == nil)
    }

    /// Responders that are never used, for as long as the process lives.
    private static let kept = Collected<HTTPResponder>()
    private static func keep(_ responder: HTTPResponder) { kept.add(responder) }

    private static func nanoseconds(_ clock: clockid_t) -> Int {
        var time = timespec()
        clock_gettime(clock, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
