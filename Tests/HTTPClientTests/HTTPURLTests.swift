import HTTPClient
import Testing

@Suite struct HTTPURLTests {
    @Test(arguments: [
        ("http://example.com", "http://example.com/", "example.com", 80),
        ("HTTPS://Example.com/a?b=c#d", "https://Example.com/a?b=c#d", "Example.com", 443),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x", "127.0.0.1", 8080),
        ("http://0x7f.1/", "http://127.0.0.1/", "127.0.0.1", 80),
        ("http://2130706433/", "http://127.0.0.1/", "127.0.0.1", 80),
        ("http://[::1]:81/", "http://[::1]:81/", "[::1]", 81),
    ])
    func parses(text: String, whole: String, host: String, port: Int) throws {
        let url = try HTTPURL(text)
        #expect(url.text == whole)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(!url.hasCredentials)
    }

    @Test func noticesCredentials() throws {
        #expect(try HTTPURL("http://user@example.com/").hasCredentials)
        #expect(try HTTPURL("http://user:word@example.com/").hasCredentials)
        #expect(try HTTPURL("http://:word@example.com/").hasCredentials)
        #expect(try !HTTPURL("http://example.com/user@home").hasCredentials)
    }

    @Test(arguments: [
        "", "example.com", "/path", "ftp://example.com/", "file:///etc/passwd", "http:/example.com", "http:///path",
        "http:example.com", "http://", "http://:80/", "http://?x", "http://#x", "http://exa mple.com/",
        "http://example.com/a b", "http://example.com/\r\nX: y", "http://example.com/\u{0}",
        "http://example.com/\u{7F}",
        "http://example.com:0/", "http://example.com:65536/", "http://example.com:x/", "http://[::1/", "http://[zz]/",
        "javascript://x", " http://example.com", "http://user@/", "gopher://example.com/",
    ])
    func refuses(text: String) {
        #expect(throws: HTTPURL.Problem.self) { try HTTPURL(text) }
    }

    @Test func refusesWhatIsTooLong() throws {
        let text = "http://example.com/" + String(repeating: "a", count: HTTPURL.maximumLength)
        let problem = try #require(throws: HTTPURL.Problem.self) { try HTTPURL(text) }
        #expect(problem.description == "is longer than 4096 bytes")
    }

    @Test func readsDates() {
        #expect(HTTPDate.unixSeconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(HTTPDate.unixSeconds("soon") == nil)
    }
}
