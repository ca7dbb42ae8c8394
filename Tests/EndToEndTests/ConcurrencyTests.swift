import Foundation
import Testing

@Suite struct ConcurrencyTests {
    @Test func `a handler runs no more jobs at once than it may`() throws {
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("jobmill.yaml")
        try "handlers:\n  sleep:\n    compiled_in: true\n    concurrency: 2\n".write(
            to: file, atomically: true, encoding: .utf8)
        let server = try TestServer(["--demo", "--workers", "4", "--config", file.path])
        let api = try API(server)
        let jobs = Array(repeating: "0.05", count: 40).joined(separator: ",")
        let ids = try (0..<2).map { _ in
            try api.submit("{\"handler\": \"sleep\", \"chunk_size\": 1, \"jobs\": [\(jobs)]}")
        }
        var most = 0
        try Eventually.isTrue(within: 60) {
            let workers = try api.get("/v1/pool").object()["workers"] as? [[String: Any]] ?? []
            let busy = workers.count { $0["handler"] as? String == "sleep" && $0["state"] as? String == "busy" }
            most = max(most, busy)
            return try ids.allSatisfy { try api.batch($0).isFinal }
        }
        #expect(most == 2)
    }
}
