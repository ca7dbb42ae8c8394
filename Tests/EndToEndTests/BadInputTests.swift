import Foundation
import Testing

/// The contract's refusals against the real binary; the API's own tests hold the long tables.
@Suite struct BadInputTests {
    @Test func `bad input is named by its place and stores nothing`() throws {
        let api = try API(TestServer())
        let cases: [(body: String, pointer: String)] = [
            (#"{"handler": "square"}"#, "/jobs"),
            (#"{"handler": "square", "jobs": []}"#, "/jobs"),
            (#"{"handler": "square", "jobs": 3}"#, "/jobs"),
            (#"{"handler": "nobody", "jobs": [1]}"#, "/handler"),
            (#"{"handler": 7, "jobs": [1]}"#, "/handler"),
            (#"{"handler": "square", "jobs": [1], "tiemout": 3}"#, "/tiemout"),
            (#"{"handler": "square", "jobs": [1], "timeout": -1}"#, "/timeout"),
            (#"{"handler": "square", "jobs": [1], "max_attempts": 0}"#, "/max_attempts"),
            (#"{"handler": "square", "jobs": [1], "priority": 1000}"#, "/priority"),
            (#"{"handler": "square", "jobs": [1], "callback": {"url": "mailto:me"}}"#, "/callback/url"),
        ]
        for (body, pointer) in cases {
            let answer = try api.post("/v1/batches", body)
            #expect((400..<500).contains(answer.status), "\(body)")
            #expect(answer.header("Content-Type") == "application/problem+json", "\(body)")
            let errors = try #require(try answer.object()["errors"] as? [[String: Any]], "\(body)")
            #expect(errors.contains { $0["pointer"] as? String == pointer }, "\(body): \(answer.text)")
        }
        for body in [
            "", "{", "[1,2", "{\"handler\": \"square\", \"jobs\": [1e999]}",
            "{\"handler\": \"square\", \"jobs\": [01]}",
            "{\"handler\": \"square\", \"jobs\": [\(String(repeating: "[", count: 600))\(String(repeating: "]", count: 600))]}",
        ] {
            let answer = try api.post("/v1/batches", body)
            #expect((400..<500).contains(answer.status), "\(body.prefix(60))")
        }
        #expect((try api.get("/v1/batches").object()["batches"] as? [Any])?.count == 0)
    }
}
