import HTTPClient
import Testing
import Webhooks

@Suite struct CallbackURLTests {
    @Test(arguments: [
        "http://example.com", "https://example.com:8443/hook?x=1", "http://8.8.8.8/", "http://localhost/",
    ])
    func accepts(text: String) { #expect(CallbackURL.check(text, policy: .globalUnicastOnly) == nil) }

    @Test(arguments: [
        ("ftp://example.com/", "is no absolute http or https URL"),
        ("", "is no absolute http or https URL"),
        ("http:///x", "has no host"),
        ("http://example.com/\n", "holds a space or a control character"),
        ("http://a:b@example.com/", "holds a user name or a password"),
        ("http://127.0.0.1/", "leads to 127.0.0.1, an address that is loopback and may not be called"),
        ("http://0x7f.1/", "leads to 127.0.0.1, an address that is loopback and may not be called"),
        ("http://[fd00::1]:80/", "leads to fd00::1, an address that is private and may not be called"),
    ])
    func refuses(text: String, problem: String) {
        #expect(CallbackURL.check(text, policy: .globalUnicastOnly) == problem)
    }

    @Test func asksThePolicy() { #expect(CallbackURL.check("http://127.0.0.1/", policy: .any) == nil) }
}
