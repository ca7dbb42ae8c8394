import Foundation
import Testing

@Suite struct EventsTests {
    @Test func `a stream tells of a batch up to its end`() throws {
        let api = try API(TestServer())
        let id = try api.submit(#"{"handler": "sleep", "jobs": [0.3, 0.3, 0.3]}"#)
        let text = try api.get("/v1/batches/\(id)/events").text
        let events = text.components(separatedBy: "\n\n").compactMap { event in
            event.split(separator: "\n").first { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) }
        }
        #expect(events.first == "batch")
        #expect(events.last == "batch.completed")
        #expect(text.contains("\"succeeded\":3"))
        #expect(try api.get("/v1/batches/\(id)/events", [("Last-Event-ID", "end")]).status == 204)
    }
}
