import Foundation
import HTTPClient

/// A client of the service for tests: JSON in, JSON out. One per thread.
final class API {
    private let client: HTTPClient
    var server: String
    var headers: [(String, String)] = []

    /// Keeps the server alive as long as somebody talks to it.
    private let process: TestServer?

    init(_ server: TestServer) throws {
        client = try HTTPClient()
        self.server = server.url
        process = server
    }

    init(server: String) throws {
        client = try HTTPClient()
        self.server = server
        process = nil
    }

    struct Answer {
        let status: Int
        let headers: [(String, String)]
        let body: [UInt8]

        func header(_ name: String) -> String? {
            headers.first { $0.0.lowercased() == name.lowercased() }?.1
        }
        func json() throws -> Any {
            try JSONSerialization.jsonObject(with: Data(body), options: [.fragmentsAllowed])
        }
        func object() throws -> [String: Any] {
            guard let object = try json() as? [String: Any] else { throw TestFailure("not an object: \(text)") }
            return object
        }
        func lines() throws -> [[String: Any]] {
            try text.split(separator: "\n").map { line in
                guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
                    throw TestFailure("not an object: \(line)")
                }
                return object
            }
        }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    func get(_ path: String, _ headers: [(String, String)] = []) throws -> Answer {
        try send("GET", path, nil, headers)
    }

    func post(_ path: String, _ body: String, _ headers: [(String, String)] = []) throws -> Answer {
        try send("POST", path, body, headers + [("Content-Type", "application/json")])
    }

    func send(_ method: String, _ path: String, _ body: String?, _ headers: [(String, String)]) throws -> Answer {
        let response = try client.send(
            HTTPClientRequest(
                method: method, url: try HTTPURL(server + path), headers: self.headers + headers,
                body: body.map { Array($0.utf8) },
                timeout: 120))
        return Answer(
            status: response.status, headers: response.head.headers.map { ($0.name, $0.value) }, body: response.body)
    }

    /// Submits and expects 202.
    func submit(_ body: String) throws -> String {
        let answer = try post("/v1/batches", body)
        guard answer.status == 202, let id = try answer.object()["id"] as? String else {
            throw TestFailure("submit answered \(answer.status): \(answer.text)")
        }
        return id
    }

    func batch(_ id: String) throws -> BatchView {
        BatchView(try get("/v1/batches/\(id)").object())
    }

    /// Waits until every job of the batch has its outcome.
    func finished(_ id: String, within seconds: Double = 60) throws -> BatchView {
        try Eventually.value(within: seconds) {
            let batch = BatchView(try get("/v1/batches/\(id)", [("Prefer", "wait=5")]).object())
            return batch.isFinal ? batch : nil
        }
    }
}

struct BatchView {
    let fields: [String: Any]
    init(_ fields: [String: Any]) { self.fields = fields }

    var status: String { fields["status"] as? String ?? "?" }
    var isFinal: Bool { ["completed", "cancelled", "expired"].contains(status) }
    func count(_ name: String) -> Int { (fields["counts"] as? [String: Any])?[name] as? Int ?? -1 }
}
