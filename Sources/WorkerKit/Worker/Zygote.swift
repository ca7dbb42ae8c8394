import Glibc
import Platform

/// The process that has prepared handlers and forks the workers that run them. It never starts a thread.
package enum Zygote {
    /// How a process that is to become a zygote is called: this as its first argument, and the server's process identifier
    /// as the last.
    package static let role = "__zygote"

    /// To be called first of all in a program that has handlers. In a process that was started as a zygote it does not
    /// return; in any other it does nothing.
    ///
    /// - Parameter described: makes the handlers that the setup describes instead of naming them, from their JSON texts.
    package static func runIfRequested(
        arguments: [String], handlers: [Handler], described: ([[UInt8]]) throws -> [Handler] = { _ in [] }
    ) {
        guard arguments.count > 2, arguments[1] == role, let server = arguments.last.flatMap(Int32.init) else { return }
        do {
            let channel = try begin(server: server)
            guard let setup = try awaitSetup(channel) else { CurrentProcess.exit(0) }
            let (chosen, problems) = setup.choose(from: handlers)
            guard let prepared = try prepare(chosen + described(setup.commands), channel) else {
                CurrentProcess.exit(0)
            }
            var loop = try ZygoteLoop(channel: channel, handlers: prepared)
            try loop.run(problems)
            CurrentProcess.exit(0)
        } catch {
            StandardError.write("jobmill zygote: \(error)")
            CurrentProcess.exit(1)
        }
    }

    private static func begin(server: Int32) throws(SystemError) -> Descriptor {
        CurrentProcess.setName("jobmill-zygote")
        // Who wants to stop the service stops the server; the zygote ends when the server has closed the channel.
        CurrentProcess.ignoreTermination()
        // A preparation may hang, and then nobody looks at the channel.
        try CurrentProcess.dieWithParent()
        guard CurrentProcess.parentID == server else { throw SystemError("the server is gone", code: ECHILD) }
        try CurrentProcess.adoptOrphans()
        CurrentProcess.bufferOutputByLines()
        return Descriptor(adopting: ChildProcess.channelNumber)
    }

    /// Waits for the first request. nil: the server is gone.
    private static func awaitSetup(_ channel: borrowing Descriptor) throws -> ZygoteSetup? {
        switch try SocketTransfer.receiveMessage(channel.rawValue, limit: ZygoteRequest.maximumSize + 1) {
        case .end, .nothing: return nil
        case .message(let message):
            guard case .setup(let text) = try ZygoteRequest(decoding: message.bytes) else {
                throw ProtocolViolation("a request before the setup")
            }
            return try ZygoteSetup(decoding: text)
        }
    }

    /// nil: it has failed, and the server was told.
    private static func prepare(_ handlers: [Handler], _ channel: borrowing Descriptor) throws -> [PreparedHandler]? {
        func fail(_ reason: String) throws -> [PreparedHandler]? {
            _ = try SocketTransfer.sendMessage(
                channel.rawValue, ZygoteReport.preparationFailed(reason: reason).encoded())
            return nil
        }
        var prepared: [PreparedHandler] = []
        for handler in handlers {
            if prepared.contains(where: { $0.name == handler.name }) {
                return try fail("two handlers are named \(handler.name)")
            }
            do {
                prepared.append(try handler.prepared())
            } catch {
                return try fail("\(error)")
            }
            guard ChildProcess.threadCount() == 1 else {
                return try fail(
                    "the preparation of \(handler.name) has left threads behind, and a process with threads cannot be forked"
                )
            }
        }
        // What is not written out now would be written by each worker.
        CurrentProcess.flushOutput()
        return prepared
    }
}
