package import Logging
import Platform

/// An HTTP/1.1 server on one thread: a request comes in as a value, its response goes out now, later, or as a stream.
package final class HTTPServer: Service {
    package let name = "http"
    private let configuration: HTTPServerConfiguration
    private let handler: any HTTPHandler
    private let logger: Logger
    private let onFatal: @Sendable (String) -> Void
    private let mailbox: Mailbox
    private let state: Monitor<State>

    private enum Stage { case idle, starting, running, quiesced, stopped }

    private struct State {
        var stage = Stage.idle
        var thread: OwnedThread?
        var port: Int
        var failure: (any Error)?
    }

    /// - Parameter handler: is kept until the server goes away.
    package init(
        configuration: HTTPServerConfiguration, handler: any HTTPHandler,
        logger: Logger = Logger(label: "jobmill.http"),
        onFatal: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        self.onFatal = onFatal
        self.configuration = configuration
        self.handler = handler
        self.logger = logger
        mailbox = try Mailbox()
        state = Monitor(State(port: configuration.port))
    }

    /// The port that is listened on; before the start, the configured one.
    package var port: Int { state.withLock { $0.port } }

    /// Returns when clients can connect, or throws `HTTPServerError` or `SystemError`.
    package func start() throws {
        try state.withLock { state in
            guard state.stage == .idle else { throw HTTPServerError.startedTwice }
            state.stage = .starting
            do {
                state.thread = try OwnedThread(name: name) { self.serve() }
            } catch {
                state.stage = .stopped
                throw error
            }
        }
        let failure = state.wait { $0.stage == .starting ? .sleep(until: nil) : .done($0.failure) }
        if let failure {
            stop()
            throw failure
        }
    }

    /// Accepts no connection any more and goes on serving those that are there; each ends with its next response. Returns when
    /// the listening socket is closed. Not to be called on the server's own thread.
    package func quiesce() {
        mailbox.requestQuiesce()
        state.wait { $0.stage == .running || $0.stage == .starting ? .sleep(until: nil) : .done(()) }
    }

    /// Answers requests that still wait for their handler with 503, cuts streams, closes all connections and ends the thread.
    /// Responses that come later are dropped. Not to be called on the server's own thread.
    package func stop() {
        mailbox.requestStop()
        let thread = state.wait { state -> Monitor<State>.Step<OwnedThread?> in
            if state.stage == .idle { state.stage = .stopped }
            return state.stage == .stopped ? .done(state.thread) : .sleep(until: nil)
        }
        thread?.join()
    }

    private func serve() {
        do {
            let loop = try ServerLoop(
                configuration: configuration, handler: handler, mailbox: mailbox, logger: logger,
                onQuiesced: { [state] in
                    state.withLock { $0.stage = .quiesced }
                    state.notifyAll()
                })
            state.withLock { state in
                state.stage = .running
                state.port = loop.port
            }
            state.notifyAll()
            try loop.run()
        } catch {
            let wasServing = state.withLock { state in
                state.failure = error
                return state.stage == .running || state.stage == .quiesced
            }
            // While starting, `start` throws it.
            if wasServing { onFatal("the HTTP server failed: \(error)") }
            logger.error("the HTTP server ends", metadata: ["error": "\(error)"])
        }
        state.withLock { $0.stage = .stopped }
        state.notifyAll()
    }
}
