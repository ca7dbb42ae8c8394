import Foundation
import Glibc
import Platform
import Testing

@testable import WorkerKit

/// A real zygote of the test host, with the server's side of its channel.
final class TestZygote: @unchecked Sendable {
    // One test's thread uses it.
    let processID: Int32
    private let channel: Descriptor
    private var reports: [ZygoteReport] = []
    private var lastWorker: UInt32 = 0
    private var isEnded = false

    /// - Parameter handlers: what it is to prepare.
    init(_ handlers: [String]) throws {
        let (left, right) = try SocketPair(.messages).split()
        let remote = Descriptor(adopting: right)
        channel = Descriptor(adopting: left)
        limitWait(left)
        processID = try ChildProcess.spawn(
            try TestZygote.host(), arguments: ["jobmill", Zygote.role, "an argument", String(getpid())],
            environment: ["SWIFT_BACKTRACE": "enable=no"], channel: remote)
        let names = handlers.map { "\"\($0)\"" }.joined(separator: ",")
        try send(.setup(Array("{\"handlers\":[\(names)],\"other\":1}".utf8)))
    }

    deinit { end() }

    /// Closes the channel and reaps the zygote.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        shutdown(channel.rawValue, Int32(SHUT_RDWR))
        if (try? ChildProcess.awaitEnd(of: processID, atMost: TimeSpan(seconds: 10))) ?? nil == nil {
            kill(processID, SIGKILL)
            Issue.record("the zygote does not end")
        }
    }

    /// The program beside the test bundle.
    private static func host() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folders = [own, CommandLine.arguments[0]].map { ($0 as NSString).deletingLastPathComponent }
        return try #require(
            folders.map { $0 + "/WorkerKitTestHost" }.first { FileManager.default.isExecutableFile(atPath: $0) })
    }

    func send(_ request: ZygoteRequest, descriptors: [Int32] = []) throws {
        try #require(try SocketTransfer.sendMessage(channel.rawValue, request.encoded(), descriptors: descriptors))
    }

    /// The next report that was not asked for yet; nil when the zygote has ended.
    func next() throws -> ZygoteReport? {
        guard
            case .message(let message) = try SocketTransfer.receiveMessage(
                channel.rawValue, limit: ZygoteReport.maximumSize)
        else { return nil }
        return try ZygoteReport(decoding: message.bytes)
    }

    /// How this process ended. Other reports are skipped.
    func exit(of process: Int32) throws -> ProcessExit {
        while let report = try next() {
            if case .exited(let exit) = report, exit.processID == process { return exit }
        }
        throw Gone()
    }

    private struct Gone: Error {}

    /// A worker, and what it prints.
    final class Worker {
        let processID: Int32
        let server: TestServer
        private let output: Descriptor
        private let errors: Descriptor

        init(processID: Int32, server: TestServer, output: consuming Descriptor, errors: consuming Descriptor) {
            self.processID = processID
            self.server = server
            self.output = output
            self.errors = errors
        }

        /// Everything that it, and what it has started, have printed; waits for their end.
        func printed() -> (output: String, errors: String) {
            (Worker.read(output.rawValue), Worker.read(errors.rawValue))
        }

        private static func read(_ number: Int32) -> String {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = Glibc.read(number, &buffer, buffer.count)
                if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
                bytes += buffer[..<count]
            }
        }
    }

    /// Forks a worker.
    func fork() throws -> Worker {
        let (left, right) = try SocketPair().split()
        let local = Descriptor(adopting: left)
        let remote = Descriptor(adopting: right)
        SocketTransfer.enlargeSendBuffer(remote.rawValue, bytes: 1 << 20)
        let page = try SharedPage.makeFile()
        var pipes: [Int32] = []
        for _ in 0..<2 {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            pipes += ends
        }
        lastWorker += 1
        try send(
            .fork(worker: lastWorker), descriptors: [remote.rawValue, page.rawValue, pipes[1], pipes[3]])
        close(pipes[1])
        close(pipes[3])
        var report = try #require(try next())
        // A worker whose socket nobody holds any more may have ended meanwhile.
        while case .exited = report { report = try #require(try next()) }
        guard case .forked(lastWorker, let process) = report else {
            Issue.record("\(report)")
            throw Gone()
        }
        return Worker(
            processID: process, server: TestServer(socket: local, page: try SharedPage(mapping: page)),
            output: Descriptor(adopting: pipes[0]), errors: Descriptor(adopting: pipes[2]))
    }

    /// A worker of a zygote that is ready.
    static func worker(_ handlers: [String]) throws -> (TestZygote, Worker) {
        let zygote = try TestZygote(handlers)
        #expect(try zygote.next() == .ready(problems: []))
        let worker = try zygote.fork()
        #expect(try worker.server.wait { $0 == .ready } == .ready)
        return (zygote, worker)
    }
}

/// Whether a process exists that is not a zombie.
func isAlive(_ process: Int32) -> Bool {
    guard let status = SmallFile.read("/proc/\(process)/stat"), let name = status.lastIndex(of: ")") else {
        return false
    }
    return !["Z", "X"].contains(status[status.index(name, offsetBy: 2)])
}

/// Looks again and again until something is true, and fails when that takes too long.
func eventually(_ what: String, _ condition: () throws -> Bool) throws {
    let deadline = MonotonicTime.now() + TimeSpan(seconds: 10)
    while try !condition() {
        try #require(MonotonicTime.now() < deadline, "waited in vain: \(what)")
        usleep(2000)
    }
}
