import ArgumentParser
import Testing

@testable import Jobmill

@Suite struct ServeCommandTests {
    private func configuration(_ flags: [String], _ environment: [String: String] = [:]) throws -> ServiceConfiguration
    {
        try ServeCommand.parse(flags).flags.configuration(environment: environment)
    }

    @Test func `defaults are safe`() throws {
        let plain = try configuration([])
        #expect(plain.listen.description == "127.0.0.1:8080")
        #expect(plain.dataFolder == "jobmill-data")
        #expect(plain.token == nil)
        #expect(!plain.allowsPrivateWebhooks)
        #expect(plain.workers >= 1)
    }

    @Test func `a flag counts more than the environment`() throws {
        let environment = ["JOBMILL_LISTEN": "127.0.0.1:1", "JOBMILL_DATA": "/a", "JOBMILL_WORKERS": "3"]
        let fromEnvironment = try configuration([], environment)
        #expect(fromEnvironment.listen.port == 1)
        #expect(fromEnvironment.dataFolder == "/a")
        #expect(fromEnvironment.workers == 3)
        let fromFlags = try configuration(["--listen", "127.0.0.1:2", "--data", "/b", "--workers", "4"], environment)
        #expect(fromFlags.listen.port == 2)
        #expect(fromFlags.dataFolder == "/b")
        #expect(fromFlags.workers == 4)
    }

    @Test func `an open listener needs a token or the insecure switch`() throws {
        #expect(throws: (any Error).self) { try configuration(["--listen", "0.0.0.0:80"]) }
        #expect(try configuration(["--listen", "0.0.0.0:80", "--insecure-no-token"]).token == nil)
        let token = "0123456789abcdef"
        #expect(try configuration(["--listen", "0.0.0.0:80"], ["JOBMILL_TOKEN": token]).token == token)
    }

    @Test func `zero seconds of default time-out mean none`() throws {
        #expect(try configuration(["--default-timeout", "0"]).defaultTimeout == nil)
        #expect(try configuration(["--default-timeout", "2.5"]).defaultTimeout == 2.5)
    }
}
