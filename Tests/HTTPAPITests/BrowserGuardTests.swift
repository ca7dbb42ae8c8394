import HTTPServer
import Testing

@testable import HTTPAPI

@Suite struct BrowserGuardTests {
    @Test(
        arguments: [
            [("Host", "127.0.0.1:8080")], [("Host", "localhost")], [("Host", "LOCALHOST:1")], [("Host", "[::1]:80")],
            [],
            [("Host", "127.0.0.1"), ("Origin", "http://localhost:3000")],
            [("Host", "127.0.0.1"), ("Sec-Fetch-Site", "same-origin")],
        ] as [[(String, String)]])
    func `this machine gets in`(headers: [(String, String)]) {
        #expect(BrowserGuard.admits(HTTPHeaders(headers.map { (name: $0.0, value: $0.1) })))
    }

    @Test(
        arguments: [
            [("Host", "evil.example")], [("Host", "127.0.0.1.evil.example")], [("Host", "[::2]")], [("Host", "[::1")],
            [("Host", "127.0.0.1"), ("Origin", "https://evil.example")], [("Host", "127.0.0.1"), ("Origin", "null")],
            [("Host", "127.0.0.1"), ("Sec-Fetch-Site", "cross-site")], [("Host", "")], [("Host", "10.0.0.1")],
        ] as [[(String, String)]])
    func `pages of elsewhere do not`(headers: [(String, String)]) {
        #expect(!BrowserGuard.admits(HTTPHeaders(headers.map { (name: $0.0, value: $0.1) })))
    }
}
