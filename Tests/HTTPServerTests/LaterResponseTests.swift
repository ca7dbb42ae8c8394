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

    @Test func `answers that take long come too, to more clients than wait awake`() throws {
        let responders = Collected<HTTPResponder>()
        let server = try HTTPServer.started(TestHandler { _, responder in responders.add(responder) })
        defer { server.stop() }
        let clients = try (0..<200).map { _ in try RawClient(port: server.port) }
        for round in 1...2 {
            for client in clients { try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
            let waiting = responders.first(200 * round).suffix(200)
            #expect(waiting.count == 200)
            // Longer than anybody waits awake.
            pause(.milliseconds(60))
            for responder in waiting { responder.respond(.text("round \(round)")) }
            for client in clients { #expect(try client.response().body == "round \(round)") }
        }
    }

    @Test func `a client that has sent its last byte still gets its answer, then the end of the connection`() throws {
        let responders = Collected<HTTPResponder>()
        let gone = Collected<String>()
        let server = try HTTPServer.started(
            TestHandler { request, responder in
                if request.head.path == "/now" { return responder.respond(.text("now \(request.body.count)")) }
                responder.onDisconnect { gone.add(request.head.path) }
                responders.add(responder)
            })
        defer { server.stop() }
        for (number, time) in [TimeSpan.milliseconds(0), .milliseconds(60), .milliseconds(0), .milliseconds(60)]
            .enumerated()
        {
            let client = try RawClient(port: server.port)
            try client.send("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
            if number >= 2 { #expect(responders.first(number + 1).count == number + 1) }
            client.finishSending()
            let responder = try #require(responders.first(number + 1).last)
            pause(time)
            responder.respond(.text("answer \(number)"))
            #expect(try client.response().body == "answer \(number)")
            #expect(client.isClosedByServer())
        }
        for _ in 0..<20 {
            let client = try RawClient(port: server.port)
            try client.send(String(repeating: "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", count: 3))
            client.finishSending()
            for _ in 0..<3 { #expect(try client.response().body == "now 2") }
            #expect(client.isClosedByServer())
        }
        #expect(gone.all.isEmpty)
    }

    @Test func `a client that waits awake may leave`() throws {
        let (responders, gone) = (Collected<HTTPResponder>(), Collected<String>())
        let server = try HTTPServer.started(
            TestHandler { request, responder in
                responder.onDisconnect { gone.add(request.head.path) }
                responders.add(responder)
            })
        defer { server.stop() }
        for number in 1...50 {
            let client = try RawClient(port: server.port)
            try client.send("GET /\(number) HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(responders.first(number).count == number)
            client.vanish()
        }
        #expect(Set(gone.first(50)).count == 50)
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
        client.vanish()
        #expect(gone.first(1) == ["/left"])
        // Registered afterwards, it runs at once; a response goes nowhere.
        responder.onDisconnect { gone.add("again") }
        #expect(gone.all == ["/left", "again"])
        responder.respond(.text("too late"))
    }

    @Test func `a client that leaves on a used connection is reported too`() throws {
        let (arrived, gone) = (Collected<Bool>(), Collected<String>())
        let server = try HTTPServer.started(
            TestHandler { request, responder in
                if request.head.path == "/wait" {
                    arrived.add(true)
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
        #expect(arrived.first(1) == [true])
        client.vanish()
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
