import Glibc
import JobModel
import Platform
import WorkerKit

/// A zygote that behaves badly in one way.
struct FakeZygote {
    /// - silent: never becomes ready
    /// - crash: dies before it is ready
    /// - fail: says that it cannot prepare its handlers
    /// - until:PATH: the same until the file exists, then like `deaf`
    /// - deaf: is ready, and answers nothing
    /// - mute: is ready, closes its channel and goes on
    /// - partial: is ready, but for the handler "broken"
    /// - stillborn: forks workers that are dead at once
    let mode: String

    func run() throws -> Never {
        _ = try SocketTransfer.receiveMessage(ChildProcess.channelNumber, limit: 200_000)
        switch mode {
        case "crash": abort()
        case "silent": waitForEnd()
        case "fail": try giveUp()
        case "mute":
            try send(.ready(problems: []))
            close(ChildProcess.channelNumber)
            while true { pause() }
        case "partial":
            try send(.ready(problems: [UnusableHandler(name: "broken", reason: "no such function")]))
            waitForEnd()
        case "stillborn":
            try send(.ready(problems: []))
            while true { try forkStillborn() }
        case _ where mode.hasPrefix("until:"):
            if access(String(mode.dropFirst(6)), F_OK) != 0 { try giveUp() }
            fallthrough
        default:
            try send(.ready(problems: []))
            waitForEnd()
        }
    }

    private func send(_ report: ZygoteReport) throws {
        _ = try SocketTransfer.sendMessage(ChildProcess.channelNumber, report.encoded())
    }

    private func giveUp() throws -> Never {
        try send(.preparationFailed(reason: "the cause is not gone"))
        exit(1)
    }

    private func waitForEnd() -> Never {
        while true {
            guard case .message(let message) = try? SocketTransfer.receiveMessage(ChildProcess.channelNumber, limit: 64)
            else { exit(0) }
            for number in message.descriptors { close(number) }
        }
    }

    private func forkStillborn() throws {
        guard case .message(let message) = try SocketTransfer.receiveMessage(ChildProcess.channelNumber, limit: 64)
        else {
            exit(0)
        }
        guard case .fork(let worker) = try ZygoteRequest(decoding: message.bytes) else { exit(1) }
        var child: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("false"), nil]
        posix_spawn(&child, "/bin/false", nil, nil, &arguments, environ)
        for number in message.descriptors { close(number) }
        try send(.forked(worker: worker, processID: child))
        var status: Int32 = 0
        waitpid(child, &status, 0)
        try send(.exited(ProcessExit(processID: child, exitCode: 1)))
    }
}
