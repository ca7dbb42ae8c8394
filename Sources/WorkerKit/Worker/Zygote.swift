import Glibc
import Platform

/// The process that has prepared the handlers and forks the workers. It never starts a thread.
package enum Zygote {
    /// How a process that is to become a zygote is called: this as its first argument, and the server's process identifier
    /// as the second.
    package static let role = "__zygote"

    /// To be called first of all in a program that has handlers. In a process that was started as a zygote it does not
    /// return; in any other it does nothing.
    package static func runIfRequested(arguments: [String], handlers: [Handler]) {
        guard arguments.count > 2, arguments[1] == role, let server = Int32(arguments[2]) else { return }
        do {
            var loop = try ZygoteLoop(server: server, handlers: handlers)
            try loop.run()
            CurrentProcess.exit(0)
        } catch {
            StandardError.write("jobmill zygote: \(error)")
            CurrentProcess.exit(1)
        }
    }
}

struct ZygoteLoop: ~Copyable {
    private enum Token {
        static let channel: UInt64 = 0
        static let children: UInt64 = 1
    }

    private let handlers: [Handler]
    private let channel: Descriptor
    private let childSignal: ChildSignal
    private let poller: Poller
    /// The workers that are not reaped yet.
    private var workers: Set<Int32> = []

    init(server: Int32, handlers: [Handler]) throws(SystemError) {
        CurrentProcess.setName("jobmill-zygote")
        // Who wants to stop the service stops the server; the zygote ends when the server has closed the channel.
        CurrentProcess.ignoreSignals([SIGTERM, SIGINT, SIGHUP, SIGQUIT])
        try CurrentProcess.dieWithParent()
        guard CurrentProcess.parentID == server else { throw SystemError("the server is gone", code: ECHILD) }
        try CurrentProcess.adoptOrphans()
        let channel = Descriptor(adopting: ChildProcess.channelNumber)
        let childSignal = try ChildSignal()
        let poller = try Poller(batch: 2)
        try poller.add(channel.rawValue, token: Token.channel)
        try poller.add(childSignal.fileDescriptor, token: Token.children)
        self.handlers = handlers
        self.channel = channel
        self.childSignal = childSignal
        self.poller = poller
    }

    /// Returns when the server has closed the channel and all workers are gone.
    mutating func run() throws {
        if let twice = Dictionary(grouping: handlers, by: \.name).first(where: { $0.value.count > 1 }) {
            _ = try report(.preparationFailed(reason: "two handlers are named \(twice.key)"))
            return
        }
        var isServed = try report(.ready)
        while isServed {
            for event in try poller.wait(until: nil) {
                switch event.token {
                case Token.channel: isServed = try serve() && isServed
                default: isServed = try reap() && isServed
                }
            }
        }
        try endWorkers()
    }

    /// Handles one request. False: the server is gone.
    private mutating func serve() throws -> Bool {
        switch try SocketTransfer.receiveMessage(channel.rawValue, limit: 64) {
        case .end: return false
        case .nothing: return true
        case .message(let message):
            guard case .fork(let worker, let maximumResultBytes) = try ZygoteRequest(decoding: message.bytes),
                message.descriptors.count == 2
            else { throw ProtocolViolation("a fork without its socket and page") }
            return try fork(
                worker, socket: Descriptor(adopting: message.descriptors[0]),
                page: Descriptor(adopting: message.descriptors[1]), maximumResultBytes: maximumResultBytes)
        }
    }

    private mutating func fork(
        _ worker: UInt32, socket: consuming Descriptor, page: consuming Descriptor, maximumResultBytes: Int
    ) throws -> Bool {
        guard ChildProcess.threadCount() == 1 else {
            return try report(.forkFailed(worker: worker, reason: "the zygote is not single-threaded"))
        }
        let zygote = CurrentProcess.id
        let side: ChildProcess.Side
        do {
            side = try ChildProcess.fork()
        } catch {
            return try report(.forkFailed(worker: worker, reason: "\(error)"))
        }
        switch side {
        case .child:
            WorkerProcess.run(
                socket: socket, page: page, zygote: zygote, handlers: handlers, maximumResultBytes: maximumResultBytes)
        case .parent(let child):
            ChildProcess.lead(child)
            workers.insert(child)
            return try report(.forked(worker: worker, processID: child))
        }
    }

    /// Reaps all who have ended; of the workers among them the server is told.
    private mutating func reap() throws -> Bool {
        childSignal.drain()
        while let exit = try ChildProcess.reap() {
            guard workers.remove(exit.processID) != nil else { continue }
            guard try report(.exited(exit)) else { return false }
        }
        return true
    }

    private func report(_ report: ZygoteReport) throws(SystemError) -> Bool {
        try SocketTransfer.sendMessage(channel.rawValue, report.encoded())
    }

    private mutating func endWorkers() throws {
        for worker in workers { ChildProcess.signalGroup(worker, SIGKILL) }
        while !workers.isEmpty {
            while let exit = try ChildProcess.reap() { workers.remove(exit.processID) }
            if !workers.isEmpty { _ = try poller.wait(until: nil) }
            childSignal.drain()
        }
    }
}
