import Glibc
import Platform
import WorkerKit

/// The server's end of the channel to a zygote. Belongs to the pool's thread, whose end is the end of a zygote that prepares.
final class ZygoteClient {
    let processID: Int32
    /// An entry in the environment of the zygote and of all that it starts, and of nobody else.
    let mark: String
    private let channel: Descriptor

    private static let markName = "JOBMILL_ZYGOTE"

    /// Starts the zygote and tells it what to prepare.
    init(_ runtime: RuntimeDefinition) throws(SystemError) {
        let (left, right) = try SocketPair(.messages).split()
        let channel = Descriptor(adopting: left)
        let remote = Descriptor(adopting: right)
        try channel.setNonBlocking()
        let identity = "\(CurrentProcess.id)-\(UInt64.random(in: .min ... .max))"
        // Swift's backtracer would print registers and memory of a crashed handler, and takes seconds.
        var environment = ["SWIFT_BACKTRACE": "enable=no"].merging(runtime.environment) { _, new in new }
        environment[ZygoteClient.markName] = identity
        // An interpreter finds its library by its name.
        let name = runtime.executable == "/proc/self/exe" ? "jobmill" : runtime.executable
        processID = try ChildProcess.spawn(
            runtime.executable, arguments: [name] + runtime.arguments + [String(CurrentProcess.id)],
            environment: environment, workingFolder: runtime.workingFolder, channel: remote)
        mark = "\(ZygoteClient.markName)=\(identity)"
        self.channel = channel
        // Whether it was still there to hear it is told by the end of the channel.
        _ = try SocketTransfer.sendMessage(self.channel.rawValue, ZygoteRequest.setup(runtime.setup).encoded())
    }

    /// To be watched for reading.
    var fileDescriptor: Int32 { channel.rawValue }

    /// Asks for a worker and makes what it shares with the server.
    func fork(_ worker: UInt32, maximumResultBytes: Int) throws(SystemError) -> WorkerHandle {
        let (left, right) = try SocketPair().split()
        let local = Descriptor(adopting: left)
        let remote = Descriptor(adopting: right)
        // A full page of outcomes fits, so that the worker goes on while the server is busy.
        SocketTransfer.enlargeSendBuffer(remote.rawValue, bytes: 1 << 20)
        let file = try SharedPage.makeFile()
        let page = try SharedPage(mapping: file)
        let (outputReading, outputWriting) = try Pipe().split()
        let output = Descriptor(adopting: outputReading)
        let remoteOutput = Descriptor(adopting: outputWriting)
        let (errorsReading, errorsWriting) = try Pipe().split()
        let errors = Descriptor(adopting: errorsReading)
        let remoteErrors = Descriptor(adopting: errorsWriting)
        let channel = try WorkerChannel(local)
        let isSent = try SocketTransfer.sendMessage(
            self.channel.rawValue, ZygoteRequest.fork(worker: worker).encoded(),
            descriptors: [remote.rawValue, file.rawValue, remoteOutput.rawValue, remoteErrors.rawValue])
        guard isSent else { throw SystemError("sendmsg to the zygote", code: EAGAIN) }
        return WorkerHandle(
            channel: channel, page: page, output: WorkerOutput(output: output, errors: errors),
            maximumResultBytes: maximumResultBytes)
    }

    enum Received {
        case report(ZygoteReport)
        case nothing
        /// The zygote is gone, or makes no sense.
        case end(reason: String)
    }

    func receive() -> Received {
        do {
            switch try SocketTransfer.receiveMessage(channel.rawValue, limit: ZygoteReport.maximumSize) {
            case .nothing:
                return .nothing
            case .end:
                return .end(reason: "has closed its channel")
            case .message(let message):
                // It has no reason to send descriptors; what comes all the same is closed.
                for number in message.descriptors { _ = Descriptor(adopting: number) }
                return .report(try ZygoteReport(decoding: message.bytes))
            }
        } catch {
            return .end(reason: "broke the protocol: \(error)")
        }
    }

    func kill() { ChildProcess.signalGroup(processID, SIGKILL) }

    /// Closes the channel, which tells the zygote to kill its workers and to end.
    func shutDown() { shutdown(channel.rawValue, Int32(SHUT_RDWR)) }

    /// Waits for its end, and kills it if that takes longer than `patience`.
    /// - Returns: how it ended; nil if it is not even killed in that time.
    func awaitEnd(patience: TimeSpan) throws(SystemError) -> ProcessExit? {
        if let exit = try ChildProcess.awaitEnd(of: processID, atMost: patience) {
            // What its preparation has started is in its group.
            kill()
            return exit
        }
        kill()
        return try ChildProcess.awaitEnd(of: processID, atMost: patience)
    }
}
