import Foundation

/// What a finished command said.
struct CommandResult {
    let status: Int32
    let output: String
    let errors: String
}

enum Commands {
    /// Runs `jobmill` with these arguments to its end.
    static func jobmill(
        _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> CommandResult {
        try run(TestServer.command(arguments, environment: environment), input: input)
    }

    static func run(_ process: Process, input: String = "") throws -> CommandResult {
        // Files instead of pipes: nothing can block, however much is said.
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try ["in", "out", "err"].map { name in
            let url = folder.appendingPathComponent(name)
            try Data((name == "in" ? input : "").utf8).write(to: url)
            return url
        }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        process.waitUntilExit()
        return CommandResult(
            status: process.terminationStatus,
            output: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
    }
}
