import Foundation
import HTTPServer
import JobModel
import Platform
import Testing
import Yams

@testable import HTTPAPI

/// openapi.yaml says what is there, all of it, and nothing else.
struct DescriptionTests {
    private let description: [String: Any]

    init() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "openapi.yaml")
        let text = try String(contentsOf: url, encoding: .utf8)
        description = try #require(try Yams.load(yaml: text) as? [String: Any])
    }

    private static let methods: Set<String> = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    private var paths: [String: [String: Any]] { description["paths"] as? [String: [String: Any]] ?? [:] }

    /// What a `$ref` points at.
    private func resolved(_ value: Any?) throws -> [String: Any] {
        let object = try #require(value as? [String: Any])
        guard let reference = object["$ref"] as? String else { return object }
        var target: Any? = description
        for step in reference.split(separator: "/").dropFirst() { target = (target as? [String: Any])?[String(step)] }
        return try #require(target as? [String: Any], "\(reference) points nowhere")
    }

    @Test func itsPathsAreTheRoutes() {
        let described = paths.flatMap { path, item in
            item.keys.filter(DescriptionTests.methods.contains).map { "\($0.uppercased()) \(path)" }
        }
        #expect(Set(described) == Set(RouteTable.standard.routes.map { "\($0.method) \($0.template)" }))
        #expect(described.count == RouteTable.standard.routes.count)
    }

    @Test func everyOperationIsComplete() throws {
        var names: Set<String> = []
        for route in RouteTable.standard.routes {
            let item = try #require(paths[route.template])
            let operation = try #require(item[route.method.lowercased()] as? [String: Any])
            let name = Comment(rawValue: "\(route.method) \(route.template)")
            #expect(names.insert(try #require(operation["operationId"] as? String)).inserted, name)
            let parameters = try ((item["parameters"] as? [Any] ?? []) + (operation["parameters"] as? [Any] ?? []))
                .map { try resolved($0) }
            let inPath = parameters.filter { $0["in"] as? String == "path" }.compactMap { $0["name"] as? String }
            let placeholders = route.template.split(separator: "/").filter { $0.hasPrefix("{") }
                .map { String($0.dropFirst().dropLast()) }
            #expect(Set(inPath) == Set(placeholders), name)
            #expect((operation["requestBody"] != nil) == (route.content != .none), name)
            #expect(((operation["security"] as? [Any])?.isEmpty ?? false) == route.isPublic, name)
            let responses = try #require(operation["responses"] as? [String: Any])
            var wanted: Set<String> = ["200", "default"]
            if !route.isPublic { wanted.formUnion(["400", "401"]) }
            if route.content != .none { wanted.formUnion(["408", "413", "415", "422", "503"]) }
            if route.method == "POST" { wanted.formUnion(["202", "507"]) }
            if route.template.contains("{") { wanted.insert("404") }
            #expect(Set(responses.keys).isSuperset(of: wanted), name)
        }
    }

    @Test func everyReferencePointsSomewhere() throws {
        func check(_ value: Any) throws {
            if let object = value as? [String: Any] {
                if object["$ref"] is String { _ = try resolved(object) }
                for member in object.values { try check(member) }
            } else if let array = value as? [Any] {
                for element in array { try check(element) }
            }
        }
        try check(description)
    }

    @Test func itsExamplesOfRequestsAreAccepted() throws {
        try withService { service in
            service.store.state.withLock { $0.work = squares }
            var count = 0
            for route in RouteTable.standard.routes where route.content == .json {
                let operation = try #require(paths[route.template]?[route.method.lowercased()] as? [String: Any])
                let content = try resolved(operation["requestBody"])["content"] as? [String: [String: Any]]
                let examples = try #require(content?["application/json"]?["examples"] as? [String: [String: Any]])
                for (name, example) in examples {
                    let body = try JSONSerialization.data(withJSONObject: try #require(example["value"]))
                    let target = route.template.replacingOccurrences(of: "{handler}", with: "square")
                        .replacingOccurrences(of: "{queue}", with: "mail")
                    let reply = try service.send(route.method, target, bytes: Array(body))
                    #expect([200, 202].contains(reply.status), Comment(rawValue: "\(name): \(reply.text)"))
                    count += 1
                }
            }
            #expect(count >= 5)
        }
    }

    @Test func itsParametersAreTheOnesThatAreRead() throws {
        try withService { service in
            let id = try service.submitted(1)
            for route in RouteTable.standard.routes where route.content == .none {
                let operation = try #require(paths[route.template]?["get"] as? [String: Any])
                let target = route.template.replacingOccurrences(of: "{batch}", with: "\(id)")
                    .replacingOccurrences(of: "{job}", with: "job_\(id.ulid)_0")
                    .replacingOccurrences(of: "{index}", with: "0")
                    .replacingOccurrences(of: "{queue}", with: "mail")
                for parameter in try (operation["parameters"] as? [Any] ?? []).map({ try resolved($0) })
                where parameter["in"] as? String == "query" {
                    let name = try #require(parameter["name"] as? String)
                    let reply = try service.get("\(target)?\(name)=%C3%BC")
                    #expect(!reply.text.contains("is not known here"), Comment(rawValue: "\(target) \(name)"))
                }
            }
        }
    }

    @Test func aBatchHasTheFieldsThatAreDescribed() throws {
        let schemas = try #require(
            (description["components"] as? [String: Any])?["schemas"] as? [String: [String: Any]])
        func described(_ schema: String) -> Set<String> {
            Set((schemas[schema]?["properties"] as? [String: Any] ?? [:]).keys)
        }
        try withService { service in
            service.store.state.withLock { $0.work = squares }
            let id = try service.submitted(1)
            let batch = try service.get("/v1/batches/\(id)").object
            #expect(Set(batch.keys) == described("Batch"))
            #expect(Set((batch["counts"] as? [String: Any] ?? [:]).keys) == described("Counts"))
            #expect(Set((batch["backoff"] as? [String: Any] ?? [:]).keys) == described("Backoff"))
            let job = try service.get("/v1/batches/\(id)/jobs/0").object
            #expect(Set(job.keys).union(["error"]) == described("Job"))
            #expect(Set(try service.get("/v1/queues/mail").object.keys) == described("Queue"))
        }
    }
}
