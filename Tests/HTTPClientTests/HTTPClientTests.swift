import HTTPClient
import LocalHTTP
import Platform
import Testing

@Suite struct HTTPClientTests {
    @Test func sendsARequestAndReadsTheAnswer() throws {
        let listener = try LocalListener { request in
            .respond(201, headers: [("X-Answer", "yes")], body: "\(request.method) \(request.target)")
        }
        defer { listener.stop() }
        let client = try HTTPClient()
        let response = try client.send(
            HTTPClientRequest(
                method: "POST", url: HTTPURL("\(listener.url)/a?b=c"), headers: [("X-One", "1"), ("X-Empty", "")],
                body: Array("hello".utf8)))
        #expect(response.status == 201)
        #expect(response.header("x-answer") == "yes")
        #expect(String(decoding: response.body, as: UTF8.self) == "POST /a?b=c")
        #expect(!response.isCut)
        let received = try #require(listener.requests.first)
        #expect(received.body == Array("hello".utf8))
        #expect(received.header("X-One") == "1")
        #expect(received.header("X-Empty") == "")
        #expect(received.header("Content-Type") == nil)
    }

    @Test func reusesItsConnection() throws {
        let listener = try LocalListener { _ in .respond(200, body: "ok") }
        defer { listener.stop() }
        let client = try HTTPClient()
        for method in ["GET", "POST", "DELETE", "GET"] {
            #expect(try client.send(HTTPClientRequest(method: method, url: HTTPURL(listener.url))).status == 200)
        }
        #expect(listener.requests.map(\.method) == ["GET", "POST", "DELETE", "GET"])
        #expect(Set(listener.requests.map(\.connection)) == [0])
    }

    @Test func neverFollowsARedirect() throws {
        let listener = try LocalListener { request in
            .respond(307, headers: [("Location", "/elsewhere")], body: request.target)
        }
        defer { listener.stop() }
        let response = try HTTPClient().send(HTTPClientRequest(url: HTTPURL("\(listener.url)/here")))
        #expect(response.status == 307)
        #expect(listener.requests.map(\.target) == ["/here"])
    }

    @Test func cutsABodyOfUnknownLength() throws {
        let listener = try LocalListener { _ in .endless(200) }
        defer { listener.stop() }
        let response = try HTTPClient().send(
            HTTPClientRequest(url: HTTPURL(listener.url), maximumResponseBytes: 100_000))
        #expect(response.status == 200)
        #expect(response.isCut)
        #expect(response.body.count == 100_000)
    }

    @Test func streamsUntilTheReceiverHasEnough() throws {
        let listener = try LocalListener { _ in .endless(202) }
        defer { listener.stop() }
        let seen = Seen()
        let isComplete = try HTTPClient().stream(
            HTTPClientRequest(url: HTTPURL(listener.url)), onHead: { seen.status = $0.status },
            onBytes: { bytes in
                seen.count += bytes.count
                return seen.count < 200_000
            })
        #expect(!isComplete)
        #expect(seen.status == 202)
        #expect(seen.count >= 200_000 && seen.count < 1_000_000)
    }

    private final class Seen {
        var status = 0
        var count = 0
    }

    @Test func interimAnswersAndTrailersAreNoHead() throws {
        let listener = try LocalListener { _ in
            .raw(
                "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                    + "Trailer: X-Late\r\n\r\n2\r\nhi\r\n0\r\nX-Late: 1\r\n\r\n")
        }
        defer { listener.stop() }
        let response = try HTTPClient().send(HTTPClientRequest(url: HTTPURL(listener.url)))
        #expect(response.status == 200)
        #expect(response.body == Array("hi".utf8))
        #expect(response.header("X-Early") == nil && response.header("X-Late") == nil)
    }

    @Test func timesOut() throws {
        let listener = try LocalListener { _ in .hang }
        defer { listener.stop() }
        let error = try #require(throws: HTTPClientError.self) {
            try HTTPClient().send(HTTPClientRequest(url: HTTPURL(listener.url), timeout: 0.2))
        }
        #expect(error.kind == .timedOut)
        #expect(error.message.contains("127.0.0.1:\(listener.port) did not answer in time"))
    }

    @Test func aRefusedConnectionNamesTheEndpoint() throws {
        let listener = try LocalListener { _ in .hang }
        listener.stop()
        let error = try #require(throws: HTTPClientError.self) {
            try HTTPClient().send(HTTPClientRequest(url: HTTPURL(listener.url)))
        }
        #expect(error.kind == .cannotConnect)
        #expect(error.message == "could not connect to 127.0.0.1:\(listener.port): Connection refused")
    }

    @Test func anUnknownNameIsNotResolved() throws {
        let error = try #require(throws: HTTPClientError.self) {
            try HTTPClient().send(HTTPClientRequest(url: HTTPURL("http://nothing.invalid/"), timeout: 20))
        }
        #expect(error.kind == .cannotResolve)
        #expect(error.message == "the host name nothing.invalid could not be resolved")
    }

    @Test func aLostConnectionIsAnError() throws {
        let listener = try LocalListener { _ in .raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") }
        defer { listener.stop() }
        let error = try #require(throws: HTTPClientError.self) {
            try HTTPClient().send(HTTPClientRequest(url: HTTPURL(listener.url)))
        }
        #expect(error.kind == .connectionLost)
    }

    @Test func abortEndsATransferAtOnceAndForGood() throws {
        let listener = try LocalListener { _ in .hang }
        defer { listener.stop() }
        let client = try HTTPClient()
        let helper = try OwnedThread(name: "aborter") {
            _ = listener.requests(atLeast: 1)
            client.abort()
        }
        let begin = MonotonicTime.now()
        let error = try #require(throws: HTTPClientError.self) {
            try client.send(HTTPClientRequest(url: HTTPURL(listener.url), timeout: 60))
        }
        #expect(error.kind == .aborted)
        #expect((MonotonicTime.now() - begin).seconds < 30)
        helper.join()
        let second = try #require(throws: HTTPClientError.self) {
            try client.send(HTTPClientRequest(url: HTTPURL(listener.url)))
        }
        #expect(second.kind == .aborted)
    }

    @Test(arguments: [("X-A", "1\r\nX-B: 2"), ("X A", "1"), ("", "1"), ("X-A", "a\u{0}b")])
    func refusesHeadersThatWouldBreakTheRequest(name: String, value: String) throws {
        let error = try #require(throws: HTTPClientError.self) {
            try HTTPClient().send(
                HTTPClientRequest(url: HTTPURL("http://127.0.0.1:1/"), headers: [(name, value)]))
        }
        #expect(error.kind == .invalidRequest)
    }

    /// Spellings of loopback as libcurl and the resolver take them: every one must be seen as what it is.
    @Test(arguments: [
        "127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.1", "127.0.0.001",
        "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0", "0.0.0.0",
    ])
    func theAddressPolicySeesThroughSpellings(host: String) throws {
        let listener = try LocalListener { _ in .respond(200) }
        defer { listener.stop() }
        let url = try HTTPURL("http://\(host):\(listener.port)/")
        let error = try #require(throws: HTTPClientError.self) {
            try HTTPClient().send(HTTPClientRequest(url: url, timeout: 20, addressPolicy: .globalUnicastOnly))
        }
        #expect(error.kind == .addressRefused, "\(error)")
        #expect(listener.requests.isEmpty)
        // The same URL does lead to the listener, so it was the policy that refused.
        #expect(try HTTPClient().send(HTTPClientRequest(url: url, timeout: 20)).status == 200)
    }

    @Test func anExceptionOfThePolicyLetsThrough() throws {
        let listener = try LocalListener { _ in .respond(200) }
        defer { listener.stop() }
        let range = try #require(AddressRange("127.0.0.0/8"))
        let request = try HTTPClientRequest(url: HTTPURL(listener.url), addressPolicy: .globalUnicast(and: [range]))
        #expect(try HTTPClient().send(request).status == 200)
    }

    @Test func thePolicyAlsoHoldsForAnOpenConnection() throws {
        let listener = try LocalListener { _ in .respond(200) }
        defer { listener.stop() }
        let client = try HTTPClient()
        var request = try HTTPClientRequest(url: HTTPURL(listener.url))
        #expect(try client.send(request).status == 200)
        request.addressPolicy = .globalUnicastOnly
        let error = try #require(throws: HTTPClientError.self) { try client.send(request) }
        #expect(error.kind == .addressRefused)
        #expect(listener.requests.count == 1)
    }
}
