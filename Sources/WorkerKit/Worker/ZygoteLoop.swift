import Glibc
import Platform

/// Forks workers and reaps them, until the server closes the channel.
struct ZygoteLoop: ~Copyable {
    private enum Token {
        static let channel: UInt64 = 0
        static let children: UInt64 = 1
    }

    /// How long the last processes may take to die before they are looked at again.
    private static let patience = TimeSpan.milliseconds(100)

    private let handlers: [PreparedHandler]
    /// Descriptors that the preparation has opened.
    private let inherited: [Int32]
    private let channel: Descriptor
    private let childSignal: ChildSignal
    private let poller: Poller
    /// The workers that are not reaped yet.
    private var workers: Set<Int32> = []

    init(channel: consuming Descriptor, handlers: [PreparedHandler]) throws(SystemError) {
        inherited = CurrentProcess.openDescriptors(from: ChildProcess.channelNumber + 1)
        let childSignal = try ChildSignal()
        let poller = try Poller(batch: 2)
        try poller.add(channel.rawValue, token: Token.channel)
        try poller.add(childSignal.fileDescriptor, token: Token.children)
        self.handlers = handlers
        self.channel = channel
        self.childSignal = childSignal
        self.poller = poller
    }

    /// Returns when the server has closed the channel and all that came from this process is gone.
    /// - Parameter problems: what the server is told beside that this is ready.
    mutating func run(_ problems: [UnusableHandler]) throws {
        // From here on the channel's end says that the server is gone, and there are workers to be cleaned up after it.
        try CurrentProcess.outliveParent()
        var isServed = try report(.ready(problems: problems))
        while isServed {
            for event in try poller.wait(until: nil) {
                switch event.token {
                case Token.channel: isServed = try serve() && isServed
                default: isServed = try reap() && isServed
                }
            }
        }
        try endAll()
    }

    /// Handles one request. False: the server is gone.
    private mutating func serve() throws -> Bool {
        switch try SocketTransfer.receiveMessage(channel.rawValue, limit: 64) {
        case .end: return false
        case .nothing: return true
        case .message(let message):
            let descriptors = message.descriptors
            guard case .fork(let worker) = try ZygoteRequest(decoding: message.bytes),
                descriptors.count == ZygoteRequest.forkDescriptors
            else { throw ProtocolViolation("a request that is no fork with its descriptors") }
            return try fork(
                worker,
                WorkerProcess.Belongings(
                    socket: Descriptor(adopting: descriptors[0]), page: Descriptor(adopting: descriptors[1]),
                    output: Descriptor(adopting: descriptors[2]), errors: Descriptor(adopting: descriptors[3])))
        }
    }

    private mutating func fork(_ worker: UInt32, _ belongings: consuming WorkerProcess.Belongings) throws -> Bool {
        guard ChildProcess.threadCount() == 1 else {
            return try report(.forkFailed(worker: worker, reason: "the zygote is not single-threaded"))
        }
        let zygote = CurrentProcess.id
        let mask = CurrentProcess.blockSignals()
        let side: ChildProcess.Side
        do {
            side = try ChildProcess.fork()
        } catch {
            CurrentProcess.restoreSignals(mask)
            return try report(.forkFailed(worker: worker, reason: "\(error)"))
        }
        switch side {
        case .child:
            WorkerProcess.run(belongings, zygote: zygote, handlers: handlers, inherited: inherited)
        case .parent(let child):
            CurrentProcess.restoreSignals(mask)
            ChildProcess.lead(child)
            workers.insert(child)
            return try report(.forked(worker: worker, processID: child))
        }
    }

    /// Reaps all who have ended; of the workers among them the server is told.
    private mutating func reap() throws -> Bool {
        childSignal.drain()
        var hasReaped = false
        while let exit = try ChildProcess.reap() {
            hasReaped = true
            guard workers.remove(exit.processID) != nil else { continue }
            guard try report(.exited(exit)) else { return false }
        }
        // Their end comes back here.
        if hasReaped { killAdopted() }
        return true
    }

    /// Kills what dead workers, and processes that they had started, have left behind. What is in a living worker's process
    /// group is that worker's, although its parent is gone; it ends with the group.
    private func killAdopted() {
        for child in ChildProcess.children() where !workers.contains(child) {
            if let group = ChildProcess.group(of: child), workers.contains(group) { continue }
            ChildProcess.signal(child, SIGKILL)
        }
    }

    private func report(_ report: ZygoteReport) throws(SystemError) -> Bool {
        try SocketTransfer.sendMessage(channel.rawValue, report.encoded())
    }

    /// Kills and reaps everybody.
    private mutating func endAll() throws {
        for worker in workers { ChildProcess.signalGroup(worker, SIGKILL) }
        workers = []
        while true {
            killAdopted()
            while try ChildProcess.reap() != nil {}
            if ChildProcess.children().isEmpty { return }
            _ = try poller.wait(until: .now() + ZygoteLoop.patience)
            childSignal.drain()
        }
    }
}
