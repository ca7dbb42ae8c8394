import Glibc
import Testing

@testable import Platform

@Suite struct ChildProcessTests {
    /// Runs a shell and gives back how it ended and what it wrote to descriptor 3.
    private func shell(_ script: String) throws -> (exit: ProcessExit?, output: String) {
        let (left, right) = try SocketPair().split()
        let own = Descriptor(adopting: left)
        let process: Int32
        do {
            let remote = Descriptor(adopting: right)
            process = try ChildProcess.spawn(
                "/bin/sh", arguments: ["sh", "-c", script], environment: ["JOBMILL_TEST": "ä"], channel: remote)
        }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1000)
        while case .bytes(let count) = try buffer.withUnsafeMutableBytes({
            try SocketTransfer.receive(own.rawValue, into: $0)
        }) { output += buffer[..<count] }
        let exit = try ChildProcess.awaitEnd(of: process, atMost: TimeSpan(seconds: 10))
        return (exit, String(decoding: output, as: UTF8.self))
    }

    @Test func aSpawnedProcessInheritsItsChannelOnly() throws {
        let (exit, output) = try shell("echo $JOBMILL_TEST $(ls /proc/$$/fd) >&3; readlink /proc/$$/fd/0 >&3; exit 3")
        #expect(exit?.exitCode == 3)
        #expect(exit?.signal == nil)
        let words = output.split(whereSeparator: \.isWhitespace)
        #expect(words.first == "ä")
        #expect(words.last == "/dev/null")
        // A shell that substitutes a command has a pipe of its own for the moment.
        #expect(words.dropFirst().prefix(4) == ["0", "1", "2", "3"])
    }

    @Test func aDeathBySignalIsTold() throws {
        let (exit, _) = try shell("kill -KILL $$")
        #expect(exit?.signal == SIGKILL)
        #expect(exit?.exitCode == nil)
        #expect((exit?.peakResidentBytes ?? 0) > 100_000)
    }

    @Test func aProgramThatIsNotThereIsAnError() throws {
        let pair = try SocketPair()
        #expect(throws: SystemError.self) {
            _ = try ChildProcess.spawn(
                "/does/not/exist", arguments: [], environment: ["A": "b"], channel: pair.left)
        }
    }

    @Test func whatRunsOnIsNotReaped() throws {
        let pair = try SocketPair()
        let process = try ChildProcess.spawn(
            "/bin/sleep", arguments: ["sleep", "600"], environment: ["A": "b"], channel: pair.left)
        #expect(try ChildProcess.reap(.process(process)) == nil)
        #expect(try ChildProcess.awaitEnd(of: process, atMost: .milliseconds(1)) == nil)
        ChildProcess.signalGroup(process, SIGKILL)
        #expect(try ChildProcess.awaitEnd(of: process, atMost: TimeSpan(seconds: 10))?.signal == SIGKILL)
        #expect(try ChildProcess.reap(.process(process)) == nil, "once only")
    }

    @Test func threadsAreCounted() throws {
        // The first thread, and the one that runs this test.
        #expect(try #require(ChildProcess.threadCount()) >= 2)
    }
}
