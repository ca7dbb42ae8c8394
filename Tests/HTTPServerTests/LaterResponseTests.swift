import HTTPServer
import Platform
import Testing

@Suite struct LaterResponseTests {
    @Test func `a response may come later, from another thread`() throws {
        let responders = Collected<HTTPResponder>()
        let server = try HTTPServer.started(TestHandler { _, responder in responders.add(responder) })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        for number in 1...20 {
            try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            let responder = try #require(responders.first(number).last)
            responder.respond(.text("answer \(number)"))
            #expect(try client.response().body == "answer \(number)")
        }
    }

    @Test func `requests sent at once are answered in order, whoever is slow`() throws {
        let threads = TaskThreads(name: "answers", count: 2)
        try threads.start()
        defer { threads.stop() }
        let server = try HTTPServer.started(
            TestHandler { request, responder in
                if request.head.path.hasSuffix("0") {
                    threads.submit { responder.respond(.text(request.head.path)) }
                } else {
                    responder.respond(.text(request.head.path))
                }
            })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send((0..<100).map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
        for number in 0..<100 { #expect(try client.response().body == "/\(number)") }
    }

    @Test func `three hundred connections at a time are all served`() throws {
        let threads = TaskThreads(name: "answers", count: 2)
        try threads.start()
        defer { threads.stop() }
        let server = try HTTPServer.started(
            TestHandler { request, responder in threads.submit { responder.respond(.text(request.head.path)) } })
        defer { server.stop() }
        let clients = try (0..<300).map { _ in try RawClient(port: server.port) }
        for round in 0..<3 {
            for (number, client) in clients.enumerated() {
                try client.send("GET /\(round)/\(number) HTTP/1.1\r\nHost: x\r\n\r\n")
            }
            for (number, client) in clients.enumerated() {
                #expect(try client.response().body == "/\(round)/\(number)")
            }
        }
    }

    @Test func `a client that leaves before its answer is reported`() throws {
        let (arrived, gone) = (Collected<HTTPResponder>(), Collected<String>())
        let server = try HTTPServer.started(
            TestHandler { request, responder in
                responder.onDisconnect { gone.add(request.head.path) }
                arrived.add(responder)
            })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("GET /left HTTP/1.1\r\nHost: x\r\n\r\n")
        let responder = try #require(arrived.first(1).first)
        client.close()
        #expect(gone.first(1) == ["/left"])
        // Registered afterwards, it runs at once; a response goes nowhere.
        responder.onDisconnect { gone.add("again") }
        #expect(gone.all == ["/left", "again"])
        responder.respond(.text("too late"))
    }

    @Test func `a client that leaves on a used connection is reported too`() throws {
        let gone = Collected<String>()
        let server = try HTTPServer.started(
            TestHandler { request, responder in
                if request.head.path == "/wait" {
                    // The responder lives as long as somebody may disconnect.
                    responder.onDisconnect { [responder] in
                        gone.add(request.head.path)
                        responder.respond(.text("nobody reads this"))
                    }
                } else {
                    let later = responder
                    if let thread = try? OwnedThread(name: "later", { later.respond(.text("ok")) }) { thread.join() }
                }
            })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        for _ in 0..<3 {
            try client.send("GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try client.response().body == "ok")
        }
        try client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        client.close()
        #expect(gone.first(1) == ["/wait"])
    }

    @Test func `no disconnection is reported once the answer is given`() throws {
        let gone = Collected<String>()
        let server = try HTTPServer.started(
            TestHandler { request, responder in
                responder.onDisconnect { gone.add("gone") }
                responder.respond(.text("ok"))
            })
        let client = try RawClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.response().body == "ok")
        client.close()
        server.stop()
        #expect(gone.all.isEmpty)
    }

    @Test func `a responder that goes away unused answers 500`() throws {
        let server = try HTTPServer.started(TestHandler { _, _ in })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let response = try client.response()
        #expect(response.status == 500)
        #expect(response.body == "refused: The request was not answered.")
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.response().status == 500)
    }

    @Test func `a large body is sent whole`() throws {
        let text = String(repeating: "0123456789abcdef", count: 200_000)
        let server = try HTTPServer.started(TestHandler { _, responder in responder.respond(.text(text)) })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        let response = try client.response()
        #expect(response.headers["content-length"] == "3200000")
        #expect(response.body == text)
        #expect(try client.response(isHead: true).headers["content-length"] == "3200000")
    }
}
