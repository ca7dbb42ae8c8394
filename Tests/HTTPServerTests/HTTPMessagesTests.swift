import HTTPServer
import Testing

@Suite struct HTTPMessagesTests {
    private func head(_ target: String) throws -> HTTPRequestHead {
        try HTTPRequestHead(
            method: "GET", target: Array(target.utf8), headers: HTTPHeaders([]), remoteAddress: "::1",
            contentLength: nil)
    }

    @Test(arguments: [
        ("/", []), ("/v1", ["v1"]), ("/v1/", ["v1", ""]), ("//a", ["", "a"]), ("/a%2Fb/c+d", ["a/b", "c+d"]),
        ("/%E2%82%AC?x=1", ["€"]), ("*", ["*"]), ("http://h", []), ("HTTPS://h:1/a?b", ["a"]), ("http://h?q=1", []),
    ]) func `a path has decoded segments`(_ target: String, _ segments: [String]) throws {
        let head = try head(target)
        #expect(head.pathSegments == segments)
        #expect(head.target == target)
    }

    @Test func `a query keeps its order and its repetitions`() throws {
        let head = try head("/?b=2&a=1&&b=%26%3D&c=d=e&f")
        #expect(head.query.map(\.name) == ["b", "a", "b", "c", "f"])
        #expect(head.query.map(\.value) == ["2", "1", "&=", "d=e", ""])
        #expect(head.path == "/")
    }

    @Test(arguments: ["", "a/b", "/a b", "/#x", "/%", "/%1", "/%0g", "/%00", "/%C3%28", "ftp://h/", "/é"])
    func `a malformed target is refused`(_ target: String) {
        do {
            _ = try head(target)
            Issue.record("it passes")
        } catch let refusal as HTTPRefusal {
            #expect(refusal.status == 400)
            #expect(refusal.detail.hasSuffix("."))
        } catch {
            Issue.record(error)
        }
    }

    @Test func `headers are found in any case, trimmed, in order`() {
        let headers = HTTPHeaders([("Accept", " a "), ("X", ""), ("accept", "b\t"), ("Last", "z")])
        #expect(headers.first("ACCEPT") == "a")
        #expect(headers.all("accept") == ["a", "b"])
        #expect(headers.first("x") == "")
        #expect(headers.first("last") == "z")
        #expect(headers.first("acce") == nil)
        #expect(headers.fields.map(\.value) == ["a", "", "b", "z"])
        #expect(HTTPHeaders([]).fields.isEmpty)
    }
}
