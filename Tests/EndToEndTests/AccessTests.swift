import Foundation
import Testing

@Suite struct AccessTests {
    private static let token = "a-token-of-more-than-16-characters"

    @Test func `with a token nobody gets in without it`() throws {
        let api = try API(TestServer(environment: ["JOBMILL_TOKEN": Self.token]))
        for authorization in [
            nil, "Bearer wrong", "Bearer \(Self.token)x", "Basic \(Self.token)", Self.token, "Bearer ",
        ] {
            let answer = try api.get("/v1/batches", authorization.map { [("Authorization", $0)] } ?? [])
            #expect(answer.status == 401, "\(authorization ?? "none")")
            #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
        }
        #expect(try api.get("/healthz").status == 200)
        #expect(try api.get("/v1/batches", [("Authorization", "Bearer \(Self.token)")]).status == 200)
        #expect(try api.post("/v1/map/square", "[1]").status == 401)
    }

    @Test func `without a token web pages of elsewhere are kept out`() throws {
        let api = try API(TestServer())
        #expect(try api.get("/v1/batches", [("Origin", "https://evil.example")]).status == 403)
        #expect(try api.get("/v1/batches", [("Host", "evil.example")]).status == 403)
        #expect(try api.post("/v1/map/square", "[1]", [("Sec-Fetch-Site", "cross-site")]).status == 403)
        #expect(try api.get("/v1/batches", [("Host", "localhost:1")]).status == 200)
    }

    @Test func `the command line presents its token`() throws {
        let server = try TestServer(environment: ["JOBMILL_TOKEN": Self.token])
        let refused = try Commands.jobmill(["map", "square", "3", "--server", server.url])
        #expect(refused.status == 3)
        let letIn = try Commands.jobmill(
            ["map", "square", "3"], environment: ["JOBMILL_TOKEN": Self.token, "JOBMILL_SERVER": server.url])
        #expect(letIn.status == 0)
        #expect(letIn.output == "[9]\n")
    }
}
