import ArgumentParser
import HTTPClient
import LocalHTTP
import Testing

@testable import Jobmill

@Suite struct ServiceClientTests {
    @Test func asksBelowTheServersURLWithTheToken() throws {
        let listener = try LocalListener { _ in .respond(200, body: "{}") }
        defer { listener.stop() }
        for path in ["", "/", "/below", "/below/"] {
            let service = try ServiceClient(server: listener.url + path, token: "0123456789abcdef")
            _ = try service.get("/v1/handlers", wait: 7)
        }
        #expect(
            listener.requests.map(\.target) == [
                "/v1/handlers", "/v1/handlers", "/below/v1/handlers", "/below/v1/handlers",
            ])
        let request = try #require(listener.requests.first)
        #expect(request.header("Authorization") == "Bearer 0123456789abcdef")
        #expect(request.header("Prefer") == "wait=7")
    }

    @Test func postsJSON() throws {
        let listener = try LocalListener { _ in .respond(202, body: "{}") }
        defer { listener.stop() }
        _ = try ServiceClient(server: listener.url, token: nil).post("/v1/batches", Array("[1]".utf8))
        let request = try #require(listener.requests.first)
        #expect(request.method == "POST")
        #expect(request.body == Array("[1]".utf8))
        #expect(request.header("Content-Type") == "application/json")
        #expect(request.header("Authorization") == nil)
    }

    @Test func aRefusalSaysWhy() throws {
        let listener = try LocalListener { _ in
            .respond(404, body: #"{"title":"Not Found","status":404,"detail":"There is no batch."}"#)
        }
        defer { listener.stop() }
        let service = try ServiceClient(server: listener.url, token: nil)
        let refusal = ClientFailure(3, "jobmill: Not Found (404): There is no batch.")
        #expect(throws: refusal) { try service.get("/v1/batches/x") }
        #expect(throws: refusal) { try service.copyToOutput("/v1/batches/x/results", accept: "application/json") }
    }

    @Test func aMissingTokenIsExplained() throws {
        let listener = try LocalListener { _ in .respond(401, body: #"{"title":"Unauthorized"}"#) }
        defer { listener.stop() }
        let failure = try #require(throws: ClientFailure.self) {
            try ServiceClient(server: listener.url, token: nil).get("/v1/handlers")
        }
        #expect(failure.status == 3)
        #expect(failure.lines.last?.contains("--token-file") == true)
    }

    @Test func noServerIsExplained() throws {
        let listener = try LocalListener { _ in .hang }
        listener.stop()
        let failure = try #require(throws: ClientFailure.self) {
            try ServiceClient(server: listener.url, token: nil).get("/v1/handlers")
        }
        #expect(failure.status == 4)
        #expect(failure.lines.first == "jobmill: could not connect to 127.0.0.1:\(listener.port): Connection refused")
        #expect(failure.lines.last?.contains("jobmill serve") == true)
    }

    @Test func anAnswerThatIsNoJSONIsNoService() throws {
        let listener = try LocalListener { _ in .respond(200, body: "<html>") }
        defer { listener.stop() }
        #expect(throws: ClientFailure.unexpectedAnswer("JSON")) {
            try ServiceClient(server: listener.url, token: nil).get("/v1/handlers")
        }
    }

    @Test(arguments: ["", "localhost:8080", "ftp://host/", "http://host/?a", "http://host/#a", "http://a b/"])
    func aWrongURLIsAUsageError(server: String) throws {
        let failure = try #require(throws: ClientFailure.self) { try ServiceClient(server: server, token: nil) }
        #expect(failure.status == 2)
    }

    @Test func namesInPathsAreEncoded() {
        #expect(ServiceClient.encoded("a/b?c#d e%ü") == "a%2Fb%3Fc%23d%20e%25%C3%BC")
        #expect(ServiceClient.encoded("image.blur-2_x~") == "image.blur-2_x~")
    }

    @Test func theServerComesFromTheFlagOrTheEnvironment() throws {
        let listener = try LocalListener { _ in .respond(200, body: "{}") }
        defer { listener.stop() }
        let environment = ["JOBMILL_SERVER": listener.url, "JOBMILL_TOKEN": "0123456789abcdef"]
        _ = try ClientOptions.parse([]).service(environment: environment).get("/v1/a")
        _ = try ClientOptions.parse(["--server", listener.url + "/b", "--token", "fedcba9876543210"])
            .service(environment: environment).get("/v1/a")
        #expect(listener.requests.map(\.target) == ["/v1/a", "/b/v1/a"])
        #expect(
            listener.requests.map { $0.header("Authorization") } == [
                "Bearer 0123456789abcdef", "Bearer fedcba9876543210",
            ])
        #expect(throws: (any Error).self) {
            try ClientOptions.parse(["--token", "x", "--token-file", "y"]).service(environment: [:])
        }
    }
}

@Suite struct BatchWatcherTests {
    @Test func waitsUntilTheBatchHasEnded() throws {
        let listener = try LocalListener { [counter = Counter()] _ in
            let isOver = counter.next() >= 2
            return .respond(
                200,
                body: #"{"id":"bat_1","handler":"h","status":"\#(isOver ? "completed" : "running")","#
                    + #""counts":{"total":2,"succeeded":\#(isOver ? 2 : 1)}}"#)
        }
        defer { listener.stop() }
        let watcher = BatchWatcher(service: try ServiceClient(server: listener.url, token: nil), id: "bat_1")
        #expect(try watcher.untilFinished().view.allSucceeded)
        #expect(listener.requests.map(\.target) == Array(repeating: "/v1/batches/bat_1", count: 3))
    }
}
