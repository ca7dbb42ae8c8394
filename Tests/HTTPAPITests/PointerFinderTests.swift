import Testing

@testable import HTTPAPI

struct PointerFinderTests {
    /// The place is marked by an exclamation mark.
    @Test(arguments: [
        ("!", ""), ("{!", ""), ("{\"a\"!", "/a"), ("{\"a\":!1", "/a"), ("{\"a\":1,!", ""),
        ("{\"a\":1,\"b\":[2,!", "/b/1"),
        ("[[],[1],[1,2!", "/2/1"), ("{\"x/y~z\":!", "/x~1y~0z"), ("{\"a\":\"]}\\\",\",\"b\":{\"c\":!", "/b/c"),
        ("[1,2],!", ""), ("]]]!", ""), ("{\"a\":{\"b\":[{\"c\":[0,!", "/a/b/0/c/1"),
    ])
    func theInnermostValueIsNamed(_ text: String, _ pointer: String) throws {
        let offset = try #require(text.utf8.firstIndex(of: UInt8(ascii: "!"))).utf16Offset(in: text)
        #expect(PointerFinder.pointer(to: offset, in: Array(text.utf8)) == pointer)
    }

    @Test func whatIsOutsideOfTheTextIsNoTrap() {
        #expect(PointerFinder.pointer(to: 1000, in: Array("[1,[2".utf8)) == "/1/0")
        #expect(PointerFinder.pointer(to: -1, in: []) == "")
    }
}
