import HTTPServer
import Platform
import Testing

@Suite struct RefusalTests {
    struct Hostile: CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let status: Int
        var testDescription: String { name }

        init(_ name: String, _ text: String, status: Int = 400) {
            self.name = name
            bytes = Array(text.utf8)
            self.status = status
        }
    }

    static let hostile: [Hostile] = [
        Hostile("two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
        Hostile(
            "the same length twice", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab"),
        Hostile("a negative length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\n"),
        Hostile(
            "length and coding",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Hostile(
            "coding twice",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            status: 501),
        Hostile(
            "unknown coding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", status: 501),
        Hostile(
            "coding with a blank behind", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked \r\n\r\n0\r\n\r\n",
            status: 501),
        Hostile("coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Hostile("two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
        Hostile("no host", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n"),
        Hostile("no field at all", "GET / HTTP/1.1\r\n\r\n"),
        Hostile("NUL in a value", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n"),
        Hostile("NUL in the last value", "GET / HTTP/1.1\r\nX-A: b\r\nHost: x\0\r\n\r\n"),
        Hostile("NUL in a name", "GET / HTTP/1.1\r\nHost: x\r\nX\0A: b\r\n\r\n"),
        Hostile("NUL in the method", "GE\0T / HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("a control character", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\u{1}c\r\n\r\n"),
        Hostile("a bare carriage return", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\rX-B: c\r\n\r\n"),
        Hostile("a bare line feed", "GET / HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n"),
        Hostile("a bare line feed at the end", "GET / HTTP/1.1\r\nHost: x\r\n\n"),
        Hostile("a continued line", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n"),
        Hostile("a blank before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
        Hostile("no name", "GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n"),
        Hostile("no colon", "GET / HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n"),
        Hostile("a strange method", "G@T / HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("two blanks", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("a blank in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("a relative target", "GET a HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("a broken escape", "GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("an escape that is none", "GET /a%zz HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("an escaped NUL", "GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("an escape in the query", "GET /?a=%f HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("escapes that are not UTF-8", "GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("unescaped text", "GET /é HTTP/1.1\r\nHost: x\r\n\r\n"),
        Hostile("an unknown expectation", "GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", status: 417),
        Hostile("no version", "GET /\r\n\r\n"),
        Hostile("a future version", "GET / HTTP/3.0\r\nHost: x\r\n\r\n", status: 505),
        Hostile("a broken chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        Hostile(
            "too many fields",
            "GET / HTTP/1.1\r\nHost: x\r\n" + (0..<101).map { "X-\($0): y\r\n" }.joined() + "\r\n", status: 431),
        Hostile(
            "a huge field", "GET / HTTP/1.1\r\nHost: x\r\nX-A: " + String(repeating: "a", count: 40_000) + "\r\n\r\n",
            status: 431),
        Hostile("a huge target", "GET /" + String(repeating: "a", count: 40_000) + " HTTP/1.1\r\n", status: 414),
    ]

    @Test(arguments: hostile) func `a hostile request reaches no handler`(_ hostile: Hostile) throws {
        let handled = Collected<String>()
        let server = try HTTPServer.started(
            TestHandler(handle: { request, responder in
                handled.add(request.head.target)
                responder.respond(.text("handled"))
            }))
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(hostile.bytes)
        #expect(try client.response().status == hostile.status)
        #expect(handled.all.isEmpty)
        // The server is none the worse for it.
        let next = try RawClient(port: server.port)
        try next.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try next.response().body == "handled")
    }

    /// Memory for the head of the answer is set aside, however large the request's is.
    @Test(arguments: [0, 30, 95]) func `a large head gets an answer`(fields: Int) throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        let others = (0..<fields).map { "X-\($0): y\r\n" }.joined()
        var statuses: [Int] = []
        for length in stride(from: 18_000, through: 34_000, by: 50) {
            let client = try RawClient(port: server.port)
            let parameters = fields == 30 ? "?" + Array(repeating: "a", count: 20).joined(separator: "&") : ""
            try client.send(
                "GET /\(parameters) HTTP/1.1\r\nHost: x\r\n\(others)X-A: \(String(repeating: "a", count: length))\r\n\r\n"
            )
            statuses.append(try client.response().status)
        }
        #expect(statuses == statuses.sorted() && Set(statuses) == [200, 431])
    }

    @Test func `a request with a doubtful head ends its connection`() throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        let response = try client.response()
        #expect(response.headers["connection"] == "close")
        #expect(response.body == "refused: The request has more than one Content-Length.")
        #expect(client.isClosedByServer())
    }

    @Test func `an announced body over the limit is refused at its head`() throws {
        let server = try HTTPServer.started(TestHandler(admit: { _ in .accept(maximumBodyBytes: 10) }))
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        let response = try client.response()
        #expect(response.status == 413)
        #expect(response.body == "refused: The body may have at most 10 bytes.")
        #expect(response.headers["connection"] == "close")
        #expect(response.headers["date"]?.hasSuffix("GMT") == true)
        #expect(client.isClosedByServer())
    }

    @Test func `a client that sends its whole body first still reads the refusal`() throws {
        let server = try HTTPServer.started(TestHandler(admit: { _ in .accept(maximumBodyBytes: 10) }))
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + String(repeating: "x", count: 3_000_000))
        #expect(try client.response().status == 413)
    }

    @Test func `a client that asks first never sends the body`() throws {
        let server = try HTTPServer.started(TestHandler(admit: { _ in .accept(maximumBodyBytes: 10) }))
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
        #expect(try client.response().status == 413)
        #expect(client.isClosedByServer())
    }

    @Test func `a chunked body is refused as soon as it is too long`() throws {
        let handled = Collected<Int>()
        let server = try HTTPServer.started(
            TestHandler(admit: { _ in .accept(maximumBodyBytes: 10) }) { request, responder in
                handled.add(request.body.count)
                responder.respond(.text("ok"))
            })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n")
        try client.send("1\r\nx\r\n")
        let response = try client.response()
        #expect(response.status == 413)
        #expect(response.headers["connection"] == "close")
        #expect(client.isClosedByServer())
        #expect(handled.all.isEmpty)
        let exact = try RawClient(port: server.port)
        try exact.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n")
        #expect(try exact.response().body == "ok")
    }

    @Test func `a handler's refusal of a small body keeps the connection`() throws {
        let server = try HTTPServer.started(
            TestHandler(admit: { head in
                head.path == "/no" ? .refuse(.text("no", status: 401)) : .accept(maximumBodyBytes: 10)
            }))
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send(
            "POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n" + String(repeating: "x", count: 500))
        let refusal = try client.response()
        #expect(refusal.status == 401)
        #expect(refusal.body == "no")
        try client.send("GET /yes HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.response().body == "GET /yes ")
    }

    @Test func `a head that drips in is cut off`() throws {
        let server = try HTTPServer.started { $0.headerTimeout = .milliseconds(150) }
        defer { server.stop() }
        let silent = try RawClient(port: server.port)
        let halfLine = try RawClient(port: server.port)
        try halfLine.send("GET /")
        let halfHead = try RawClient(port: server.port)
        try halfHead.send("GET / HTTP/1.1\r\nHost: x\r\n")
        let response = try halfHead.response()
        #expect(response.status == 408)
        #expect(response.body == "refused: The request's head took too long to arrive.")
        #expect(halfHead.isClosedByServer())
        #expect(halfLine.isClosedByServer())
        #expect(silent.isClosedByServer())
    }

    @Test func `a body that drips in is cut off, however steadily`() throws {
        let server = try HTTPServer.started { $0.bodyTimeout = .milliseconds(200) }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        let dripper = try OwnedThread(name: "dripper") { [client = Unchecked(client)] in
            while (try? client.value.send("x")) != nil { pause(.milliseconds(1)) }
        }
        let response = try client.response()
        #expect(response.status == 408)
        #expect(response.body == "refused: The request's body took too long to arrive.")
        dripper.join()
    }

    @Test func `a refused body that drips in gets the refusal when its time is up`() throws {
        let server = try HTTPServer.started(TestHandler(admit: { _ in .refuse(.text("no", status: 401)) })) {
            $0.headerTimeout = .milliseconds(150)
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nx")
        #expect(try client.response().status == 401)
        #expect(client.isClosedByServer())
    }

    @Test func `a refused client that neither reads nor closes is cut`() throws {
        let server = try HTTPServer.started(TestHandler(admit: { _ in .accept(maximumBodyBytes: 1) }))
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        // Sending fails once the server has cut both ways.
        #expect(eventually { (try? client.send("x")) == nil })
    }

    @Test func `an idle connection is closed`() throws {
        let server = try HTTPServer.started { $0.idleTimeout = TimeSpan(seconds: 1) }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.response().status == 200)
        #expect(client.isClosedByServer())
    }

    @Test func `a length that is none is refused with one answer`() throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        let lengths = [
            ("-1", 400), ("5x", 400), ("+5", 400), ("", 400), ("5, 5", 400), ("0x5", 400),
            ("99999999999999999999999999", 413), ("9223372036854775808", 413),
        ]
        for (length, status) in lengths {
            for parts in [1, 2] {
                let client = try RawClient(port: server.port)
                let lines = ["POST / HTTP/1.1\r\nHost: x\r\n", "Content-Length: \(length)\r\n\r\nabc"]
                if parts == 1 {
                    try client.send(lines.joined())
                } else {
                    try client.send(lines[0])
                    // Somebody else's request comes in between.
                    let other = try RawClient(port: server.port)
                    try other.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    #expect(try other.response().status == 200)
                    try client.send(lines[1])
                }
                let answer = String(decoding: try client.rest(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "), Comment(rawValue: length))
                #expect(answer.split(separator: "HTTP/1.").count == 1, Comment(rawValue: "\(length): \(answer)"))
                #expect(answer.contains("\r\n\r\nrefused: "), Comment(rawValue: answer))
            }
        }
    }

    @Test func `bodies share a budget until their requests are answered`() throws {
        let held = Collected<HTTPResponder>()
        let server = try HTTPServer.started(
            TestHandler { request, responder in
                if request.head.path == "/hold" { held.add(responder) } else { responder.respond(.text("ok")) }
            }
        ) { $0.bodyBudget = 100_000 }
        defer { server.stop() }
        let body = String(repeating: "x", count: 60_000)
        let announced = "HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        let chunk = "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n"
        let chunked = "HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)0\r\n\r\n"
        let holder = try RawClient(port: server.port)
        for round in 1...2 {
            try holder.send("POST /hold " + announced)
            let responder = try #require(held.first(round).last)
            for request in [announced, chunked] {
                let client = try RawClient(port: server.port)
                try client.send("POST / " + request)
                let response = try client.response()
                #expect(response.status == 503)
                #expect(response.body.hasPrefix("refused: The server holds as many requests"))
                let small = try RawClient(port: server.port)
                try small.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
                #expect(try small.response().status == 200)
            }
            responder.respond(.text("done"))
            #expect(try holder.response().body == "done")
            for request in [announced, chunked, announced, chunked] {
                let client = try RawClient(port: server.port)
                try client.send("POST / " + request)
                #expect(try client.response().status == 200)
            }
        }
        // Alone, a body may be larger than the budget.
        let client = try RawClient(port: server.port)
        let large = String(repeating: "x", count: 200_000)
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + large)
        #expect(try client.response().status == 200)
    }

    /// A head that was accepted is not examined again; so what is not the same must not look the same.
    @Test func `a field that is hidden by NUL is not taken for the one that was accepted before`() throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        for name in ["X-A", "Content-Length"] {
            let client = try RawClient(port: server.port)
            for _ in 0..<3 {
                try client.send("POST /a HTTP/1.1\r\nHost: x\r\n\(name): 0\r\n\r\n")
                #expect(try client.response().body == "POST /a ")
            }
            try client.send("POST /a HTTP/1.1\r\nHost: x\0\0\(name)\0 0\r\n\r\n")
            #expect(try client.response().status == 400)
        }
    }

    @Test func `each of several heads that are alike counts for itself`() throws {
        let server = try HTTPServer.started()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        let requests = [("/a", "12"), ("/a", "34"), ("/b", "56"), ("/b", "7"), ("/b", ""), ("/b", ""), ("/a", "8")]
        for (path, body) in requests {
            try client.send("POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(try client.response().body == "POST \(path) \(body)")
        }
    }
}

/// The thread and the test use different halves of the client: one sends, one receives.
private struct Unchecked: @unchecked Sendable {
    let value: RawClient
    init(_ value: RawClient) { self.value = value }
}
