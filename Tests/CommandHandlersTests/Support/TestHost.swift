import FoundationEssentials
import Glibc
import Platform
import Testing

@testable import CommandHandlers

/// A worker's process of its own, where adopting orphans and dying disturbs no other test.
final class TestHost {
    private let command: RunningCommand
    private var inbox = LineBuffer()
    private var ready = ReadySet()

    init(_ kind: CommandSpecification.Kind, _ words: [String]) throws {
        CurrentProcess.ignoreSignals([SIGPIPE])
        let path = try TestHost.path()
        let program = Program(
            path: path, arguments: [path, kind.rawValue] + words,
            environment: CurrentProcess.environment().map { "\($0.key)=\($0.value)" }, workingFolder: nil)
        command = try RunningCommand(program)
    }

    deinit {
        command.kill()
        // It is a child of this process, and has no more than its exit to come to.
        _ = try? ChildProcess.awaitEnd(of: command.processID)
    }

    /// Begins one job.
    func send(_ payload: String) throws {
        let input = try #require(command.input)
        _ = try Array("\(payload)\n".utf8).withUnsafeBytes { try Pipe.write(input.number, $0) }
    }

    /// Runs one job.
    /// - Returns: the line that the host prints about it.
    func run(_ payload: String) throws -> String {
        try send(payload)
        let output = try #require(command.output)
        while true {
            if let line = inbox.next() { return String(decoding: line, as: UTF8.self) }
            ready.removeAll()
            ready.watchReading(output.number)
            try ready.wait(milliseconds: 20_000)
            try #require(ready.isReady(output.number), "the host says nothing")
            try #require(inbox.fill(from: output.number) != .end, "the host has ended")
        }
    }

    /// The host alone, not its group.
    func kill() { command.kill() }

    static func path() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folders = [own, CommandLine.arguments[0]].map { $0.split(separator: "/").dropLast().joined(separator: "/") }
        let candidates = folders.map { "/\($0)/CommandHandlersTestHost" }
        return try #require(
            candidates.first { access($0, X_OK) == 0 }, "no test host in \(folders)")
    }
}

/// Whether a process has ended, or does soon. Whose it is to reap does not matter.
func ends(_ process: Int32) -> Bool {
    let deadline = MonotonicTime.now() + TimeSpan(seconds: 10)
    while MonotonicTime.now() < deadline {
        if !isAlive(process) { return true }
        usleep(5000)
    }
    return false
}

/// Waits for a process identifier that a command writes into a file of its folder, under this name when it is complete.
func processIdentifier(in folder: TemporaryFolder, _ name: String) throws -> Int32 {
    let deadline = MonotonicTime.now() + TimeSpan(seconds: 30)
    while MonotonicTime.now() < deadline {
        if let process = folder.read(name).flatMap({ Int32($0.filter(\.isNumber)) }) { return process }
        usleep(5000)
    }
    throw NoProcess()
}

private struct NoProcess: Error {}

private func isAlive(_ process: Int32) -> Bool {
    guard let status = SmallFile.read("/proc/\(process)/stat"), let name = status.lastIndex(of: ")") else {
        return false
    }
    return status[status.index(name, offsetBy: 2)] != "Z"
}
