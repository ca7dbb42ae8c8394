import Foundation
import Platform
import Testing

/// The real binary, running on a free port of the loopback interface with a store of its own.
final class TestServer {
    let data: URL
    private(set) var url = ""
    private var process = Process()
    private let flags: [String]
    private let environment: [String: String]
    private let ownsData: Bool

    /// - Parameter data: an existing folder to use; nil: a temporary one that goes away with the server.
    init(_ flags: [String] = ["--demo"], data: URL? = nil, environment: [String: String] = [:]) throws {
        self.flags = flags
        self.environment = environment
        ownsData = data == nil
        self.data = try data ?? TestServer.makeTemporaryFolder()
        try start()
    }

    deinit {
        kill()
        if ownsData { try? FileManager.default.removeItem(at: data) }
    }

    var processIdentifier: Int32 { process.processIdentifier }

    func start() throws {
        let portFile = data.appendingPathComponent("port-\(UUID().uuidString)")
        process = TestServer.command(
            ["serve", "--listen", "127.0.0.1:0", "--data", data.path, "--port-file", portFile.path] + flags,
            environment: environment)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try logHandle()
        try process.run()
        let port = try Eventually.value(within: 30) { () -> Int? in
            guard process.isRunning else {
                throw TestFailure("the server ended with status \(process.terminationStatus)")
            }
            guard let text = try? String(contentsOf: portFile, encoding: .utf8), text.hasSuffix("\n") else {
                return nil
            }
            return Int(text.dropLast())
        }
        try? FileManager.default.removeItem(at: portFile)
        url = "http://127.0.0.1:\(port)"
    }

    /// What it has said on standard error so far.
    var log: String { (try? String(contentsOf: logFile, encoding: .utf8)) ?? "" }

    private var logFile: URL { data.appendingPathComponent("server.log") }

    private func logHandle() throws -> FileHandle {
        let descriptor = open(logFile.path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestFailure("no log: \(errno)") }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    func signal(_ number: Int32) { _ = Foundation.kill(process.processIdentifier, number) }

    /// Waits for it to end by itself.
    func waitForEnd() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// As a crash of the machine's kind would end it.
    func kill() {
        guard process.isRunning else { return }
        _ = Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// As an operator would end it.
    @discardableResult
    func terminate() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    func restart() throws {
        kill()
        try start()
    }

    static func makeTemporaryFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jobmill-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// The `jobmill` binary that was built beside this test bundle.
    static var binary: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("jobmill")
    }

    static func command(_ arguments: [String], environment: [String: String] = [:]) -> Process {
        let process = Process()
        process.executableURL = binary
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("JOBMILL_") }
            .merging(environment) { $1 }
        return process
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
