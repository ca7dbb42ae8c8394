import HTTPServer
import Testing

@Suite struct RequestTests {
    @Test func `a request comes in as a value`() throws {
        let heads = Collected<HTTPRequestHead>()
        let server = try HTTPServer.started(
            TestHandler(admit: { head in
                heads.add(head)
                return .accept(maximumBodyBytes: 100)
            }))
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(
            "POST /v1/a%20b/%C3%A9?limit=3&empty&q=a+b%2B HTTP/1.1\r\nHost: x\r\nX-One:  first \r\nx-ONE: second\r\n"
                + "Content-Length: 5\r\n\r\nhello")
        let response = try client.response()
        #expect(response.status == 200)
        #expect(response.body == "POST /v1/a%20b/%C3%A9 hello")
        #expect(response.headers["content-type"] == "text/plain")
        #expect(response.headers["date"]?.hasSuffix("GMT") == true)
        let head = try #require(heads.first(1).first)
        #expect(head.method == "POST")
        #expect(head.target == "/v1/a%20b/%C3%A9?limit=3&empty&q=a+b%2B")
        #expect(head.pathSegments == ["v1", "a b", "é"])
        #expect(head.query.map { "\($0.name)=\($0.value)" } == ["limit=3", "empty=", "q=a b+"])
        #expect(head.headers.first("X-one") == "first")
        #expect(head.headers.all("x-one") == ["first", "second"])
        #expect(head.headers.first("absent") == nil)
        #expect(head.headers.fields.map(\.name) == ["Host", "X-One", "x-ONE", "Content-Length"])
        #expect(head.remoteAddress == "127.0.0.1")
        #expect(head.contentLength == 5)
    }

    @Test func `a connection carries many requests, also sent at once`() throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        for number in 0..<3 {
            try client.send("GET /\(number) HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try client.response().body == "GET /\(number) ")
        }
        try client.send(
            (0..<50).map { "POST /\($0) HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" }.joined())
        for number in 0..<50 { #expect(try client.response().body == "POST /\(number) hi") }
    }

    @Test func `a body may come in chunks`() throws {
        let lengths = Collected<Int?>()
        let server = try HTTPServer.started(
            TestHandler(admit: { head in
                lengths.add(head.contentLength)
                return .accept(maximumBodyBytes: 100)
            }))
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        try client.send("3\r\nabc\r\n")
        try client.send("2;ext=1\r\nde\r\n0\r\nTrailer: t\r\n\r\n")
        #expect(try client.response().body == "POST /c abcde")
        try client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.response().body == "GET /next ")
        #expect(lengths.all == [nil, nil])
    }

    @Test func `a long body arrives whole`() throws {
        let bodies = Collected<[UInt8]>()
        let server = try HTTPServer.started(
            TestHandler(admit: { _ in .accept(maximumBodyBytes: 5_000_000) }) { request, responder in
                bodies.add(request.body)
                responder.respond(HTTPResponse(status: 204))
            })
        defer { server.stop() }
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let client = try RawClient(port: server.port)
        try client.send(Array("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body)
        #expect(try client.response().status == 204)
        #expect(bodies.first(1).first == body)
    }

    @Test func `a client that asks first is told to go on`() throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        #expect(try client.response().status == 100)
        try client.send("ok")
        #expect(try client.response().body == "POST /e ok")
    }

    @Test func `HEAD is answered like GET, without the body`() throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\nGET /h HTTP/1.1\r\nHost: x\r\n\r\n")
        let head = try client.response(isHead: true)
        #expect(head.headers["content-length"] == "\("HEAD /h ".utf8.count)")
        #expect(try client.response().body == "GET /h ")
    }

    @Test func `HTTP 1_0 works and closes`() throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("GET /old HTTP/1.0\r\n\r\n")
        #expect(try client.response().body == "GET /old ")
        #expect(client.isClosedByServer())
    }

    @Test func `an absolute target is as good as its path`() throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("GET http://x:80/abs?q HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.response().body == "GET /abs ")
    }
}
