import Testing

@testable import Jobmill

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", 8080, true), ("localhost:0", "localhost", 0, true),
        ("[::1]:99", "::1", 99, true),
        ("127.9.9.9:1", "127.9.9.9", 1, true), ("0.0.0.0:80", "0.0.0.0", 80, false), ("[::]:80", "::", 80, false),
        ("127.example.org:80", "127.example.org", 80, false), ("10.0.0.1:65535", "10.0.0.1", 65_535, false),
    ])
    func `host and port are told apart, loopback is recognised`(
        text: String, host: String, port: Int, loopback: Bool
    ) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.isLoopback == loopback)
        #expect(address.description == text)
    }

    @Test(arguments: ["", "8080", ":8080", "host", "host:", "host:-1", "host:65536", "::1:80", "host:80x", "[]:1"])
    func `what is no address is refused`(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func `a URL names the port that was given by the system`() {
        #expect(ListenAddress("[::1]:0")?.url(port: 81) == "http://[::1]:81")
        #expect(ListenAddress("127.0.0.1:0")?.url(port: 82) == "http://127.0.0.1:82")
    }
}
