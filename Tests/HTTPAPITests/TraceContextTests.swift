import Testing

@testable import HTTPAPI

struct TraceContextTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let parent = "b7ad6b7169203331"

    @Test(arguments: [
        "00-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-00", "cc-\(trace)-\(parent)-01-what.the-future",
    ])
    func `is handed on`(text: String) {
        #expect(TraceContext.parent([text]) == text)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-1", "00-\(trace)-\(parent)-01-x",
        "ff-\(trace)-\(parent)-01", "00-\(trace.uppercased())-\(parent)-01",
        "00-\(String(repeating: "0", count: 32))-\(parent)-01", "00-\(trace)-\(String(repeating: "0", count: 16))-01",
        "0g-\(trace)-\(parent)-01", "00-\(trace)x-\(parent)-01", "cc-\(trace)-\(parent)-01-ü",
        "cc-\(trace)-\(parent)-01-" + String(repeating: "x", count: 300),
    ])
    func `is ignored if malformed`(text: String) {
        #expect(TraceContext.parent([text]) == nil)
    }

    @Test func `is ignored if there are several`() {
        let text = "00-\(Self.trace)-\(Self.parent)-01"
        #expect(TraceContext.parent([]) == nil)
        #expect(TraceContext.parent([text, text]) == nil)
    }
}
