import Glibc
import Platform
import WorkerKit

/// The server's end of the channel to a zygote. Belongs to the pool's thread, whose end is the zygote's end, too.
final class ZygoteClient {
    let processID: Int32
    private let channel: Descriptor

    /// Starts the zygote.
    init(_ configuration: PoolConfiguration) throws(SystemError) {
        let (left, right) = try SocketPair(.messages).split()
        let channel = Descriptor(adopting: left)
        let remote = Descriptor(adopting: right)
        try channel.setNonBlocking()
        processID = try ChildProcess.spawn(
            configuration.executable,
            arguments: ["jobmill", Zygote.role, String(CurrentProcess.id)] + configuration.arguments,
            // Swift's backtracer would print registers and memory of a crashed handler, and takes seconds.
            environmentEntry: "SWIFT_BACKTRACE=enable=no",
            channel: remote)
        self.channel = channel
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
        let channel = try WorkerChannel(local)
        let request = ZygoteRequest.fork(worker: worker, maximumResultBytes: maximumResultBytes)
        let isSent = try SocketTransfer.sendMessage(
            self.channel.rawValue, request.encoded(), descriptors: [remote.rawValue, file.rawValue])
        guard isSent else { throw SystemError("sendmsg to the zygote", code: EAGAIN) }
        return WorkerHandle(channel: channel, page: page, maximumResultBytes: maximumResultBytes)
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
                return .end(reason: "it has closed its channel")
            case .message(let message):
                // It has no reason to send descriptors; what comes all the same is closed.
                for number in message.descriptors { _ = Descriptor(adopting: number) }
                return .report(try ZygoteReport(decoding: message.bytes))
            }
        } catch {
            return .end(reason: "\(error)")
        }
    }

    /// Closes the channel, which tells the zygote to kill its workers and to end; kills it if it takes longer than `patience`.
    /// - Returns: how it ended.
    func end(patience: TimeSpan) throws(SystemError) -> ProcessExit? {
        let process = processID
        shutdown(channel.rawValue, Int32(SHUT_RDWR))
        if let exit = try ChildProcess.awaitEnd(of: process, atMost: patience) { return exit }
        ChildProcess.signal(process, SIGKILL)
        return try ChildProcess.awaitEnd(of: process, atMost: TimeSpan(seconds: 5))
    }
}
