import Foundation
import Glibc
import Testing

/// What cannot start says so in one line, ends with a non-zero status and changes nothing.
@Suite struct StartTests {
    private func serve(_ flags: [String], data: URL, environment: [String: String] = [:]) throws -> CommandResult {
        try Commands.jobmill(
            ["serve", "--demo", "--data", data.path, "--listen", "127.0.0.1:0"] + flags, environment: environment)
    }

    private func expectRefusal(_ result: CommandResult, naming part: String) {
        #expect(result.status != 0)
        #expect(result.errors.contains(part), "\(result.errors)")
        #expect(
            result.errors.hasPrefix("jobmill: ") && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }

    @Test func `a second server on the same data`() throws {
        let server = try TestServer()
        let before = try API(server).get("/healthz").status
        expectRefusal(try serve([], data: server.data), naming: "in use")
        #expect(before == 200)
        #expect(try API(server).get("/healthz").status == 200)
    }

    @Test func `a port in use`() throws {
        let server = try TestServer()
        let port = try #require(server.url.split(separator: ":").last.map(String.init))
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let data = folder.appendingPathComponent("data").path
        expectRefusal(
            try Commands.jobmill(["serve", "--demo", "--data", data, "--listen", "127.0.0.1:\(port)"]), naming: port)
        #expect(!FileManager.default.fileExists(atPath: data))
    }

    @Test func `a data folder that is a file`() throws {
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("file")
        try Data("mine".utf8).write(to: file)
        expectRefusal(try serve([], data: file), naming: file.path)
        #expect(try Data(contentsOf: file) == Data("mine".utf8))
    }

    @Test func `a folder that cannot be written`() throws {
        expectRefusal(try serve([], data: URL(fileURLWithPath: "/proc/jobmill")), naming: "/proc/jobmill")
    }

    @Test func `a corrupt database is left as it is`() throws {
        let server = try TestServer()
        let folder = server.data
        server.terminate()
        let database = try #require(
            try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .first { ["sqlite", "sqlite3", "db"].contains($0.pathExtension) })
        let garbage = Data((0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try garbage.write(to: database)
        expectRefusal(try serve([], data: folder), naming: database.lastPathComponent)
        #expect(try Data(contentsOf: database) == garbage)
    }

    @Test func `unknown flags and senseless values`() throws {
        let folder = try TestServer.makeTemporaryFolder().appendingPathComponent("data")
        defer { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }
        for flags in [
            ["--no-such-flag"], ["--workers", "0"], ["--workers", "-3"], ["--workers", "many"], ["--grace", "-1"],
            ["--grace", "nan"], ["--max-body", "0"], ["--files", "/no/such/folder"], ["--default-timeout", "-5"],
            ["--token-file", "/no/such/file"],
        ] {
            let result = try serve(flags, data: folder)
            #expect(result.status == 2, "\(flags)")
            expectRefusal(result, naming: flags[0])
            #expect(!FileManager.default.fileExists(atPath: folder.path), "\(flags)")
        }
    }

    @Test func `beyond loopback only with a token`() throws {
        let folder = try TestServer.makeTemporaryFolder().appendingPathComponent("data")
        defer { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }
        let result = try Commands.jobmill(["serve", "--demo", "--data", folder.path, "--listen", "0.0.0.0:0"])
        #expect(result.status == 2)
        #expect(result.errors.contains("JOBMILL_TOKEN"))
    }

    @Test func `an idle service uses no CPU`() throws {
        let server = try TestServer()
        let api = try API(server)
        #expect(try api.post("/v1/map/square", "[1,2,3]").status == 200)
        // The measured second is the subject of this test, not a wait for something to happen.
        let family = [server.processIdentifier] + ProcessTree.descendants(of: server.processIdentifier)
        let before = family.compactMap(ProcessTree.processorTicks).reduce(0, +)
        usleep(1_500_000)
        let after = family.compactMap(ProcessTree.processorTicks).reduce(0, +)
        #expect(after - before <= 1)
    }
}
