import Foundation
import Glibc
import JobModel
import Platform
import PythonRuntime
import Testing
import WorkerKit

/// The runner under a real interpreter, with this process as its server.
final class TestZygote {
    let process: Int32
    let folder: String
    private var channel: Int32

    /// - Parameters:
    ///   - functions: handlers, by the names of the functions that they are.
    ///   - starmap: those whose payload is spread.
    init(
        _ source: String?, functions: [String], starmap: Set<String> = [], initializer: String? = nil,
        module: String = "tasks"
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("python-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if let source { try source.write(toFile: folder + "/tasks.py", atomically: false, encoding: .utf8) }
        let handlers = try functions.map { function in
            PythonHandler(
                profile: HandlerProfile(name: function), function: try PythonFunction(parsing: "\(module):\(function)"),
                folder: folder, initializer: initializer, spreadsPayload: starmap.contains(function))
        }
        let runtime = try #require(try PythonRuntime.runtimes(for: handlers).first)
        let (channel, right) = try SocketPair(.messages).split()
        let remote = Descriptor(adopting: right)
        process = try TestZygote.spawn(
            [runtime.executable] + runtime.arguments + [String(getpid())], channel: remote.rawValue)
        TestZygote.limitWaiting(on: channel)
        #expect(try SocketTransfer.sendMessage(channel, ZygoteRequest.setup(runtime.setup).encoded()))
        self.channel = channel
        self.folder = folder
    }

    deinit {
        closeChannel()
        kill(process, SIGKILL)
        _ = try? end()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Prepares and forks one worker, which is ready for chunks.
    static func worker(
        _ source: String, functions: [String], starmap: Set<String> = [], initializer: String? = nil
    ) throws -> (TestZygote, TestWorker) {
        let zygote = try TestZygote(source, functions: functions, starmap: starmap, initializer: initializer)
        #expect(try zygote.report() == .ready(problems: []))
        let worker = try zygote.fork()
        #expect(try worker.frame() == .ready)
        return (zygote, worker)
    }

    /// The next report; nil when the zygote has closed the channel.
    func report() throws -> ZygoteReport? {
        switch try SocketTransfer.receiveMessage(channel, limit: ZygoteReport.maximumSize) {
        case .message(let message): return try ZygoteReport(decoding: message.bytes)
        case .end: return nil
        case .nothing: throw Silence()
        }
    }

    func fork() throws -> TestWorker {
        let (left, right) = try SocketPair().split()
        let local = Descriptor(adopting: left)
        let remote = Descriptor(adopting: right)
        let file = try SharedPage.makeFile()
        // Sockets instead of pipes, because no program that another test starts can inherit them.
        let output = try SocketPair().split()
        let errors = try SocketPair().split()
        defer {
            close(output.1)
            close(errors.1)
        }
        TestZygote.limitWaiting(on: local.rawValue)
        #expect(
            try SocketTransfer.sendMessage(
                channel, ZygoteRequest.fork(worker: 7).encoded(),
                descriptors: [remote.rawValue, file.rawValue, output.1, errors.1]))
        guard case .forked(7, let process) = try report() else { throw Silence() }
        return TestWorker(
            process: process, socket: local, page: try SharedPage(mapping: file), output: output.0,
            errors: errors.0)
    }

    /// How the one worker has ended.
    func exit() throws -> ProcessExit {
        guard case .exited(let exit) = try report() else { throw Silence() }
        return exit
    }

    func closeChannel() {
        if channel >= 0 { close(channel) }
        channel = -1
    }

    /// Waits for the zygote to end.
    func end() throws -> ProcessExit? { try ChildProcess.awaitEnd(of: process, atMost: TimeSpan(seconds: 20)) }

    /// No test waits longer for one message.
    private static func limitWaiting(on socket: Int32) {
        var time = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    private static func spawn(_ arguments: [String], channel: Int32) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, channel, ChildProcess.channelNumber)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, 2, 1)
        let copies: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        var process: pid_t = 0
        try #require(posix_spawnp(&process, arguments[0], &actions, nil, copies + [nil], environ) == 0)
        return process
    }
}

/// Nothing came that was expected, or nothing at all.
struct Silence: Error {}
