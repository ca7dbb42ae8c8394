import Platform
import Synchronization

/// Names one request of one connection. A ticket whose request has ended is worthless, and harmless.
struct Ticket: Equatable, Sendable {
    let connection: UInt64
    let exchange: UInt64
}

/// How other threads reach the server's thread: they leave a message and, if it sleeps, wake it, once for many messages.
final class Mailbox: Sendable {
    struct Mail {
        /// Requests for which something is ready.
        var tickets: [Ticket] = []
        var quiesce = false
        var stop = false

        var isEmpty: Bool { tickets.isEmpty && !quiesce && !stop }
    }

    private struct State {
        var mail = Mail()
        var isReaderAsleep = false
    }

    let signal: EventSignal
    private let state = Mutex(State())

    init() throws(SystemError) {
        signal = try EventSignal()
    }

    func post(_ ticket: Ticket) { change { $0.tickets.append(ticket) } }
    func requestQuiesce() { change { $0.quiesce = true } }
    func requestStop() { change { $0.stop = true } }

    private func change(_ body: (inout Mail) -> Void) {
        let wakes = state.withLock { state in
            body(&state.mail)
            defer { state.isReaderAsleep = false }
            return state.isReaderAsleep
        }
        if wakes { signal.signal() }
    }

    /// For the server's thread, before it sleeps: from now on a message wakes it. False if there is mail, so it must not sleep.
    func prepareToSleep() -> Bool {
        state.withLock { state in
            state.isReaderAsleep = state.mail.isEmpty
            return state.isReaderAsleep
        }
    }

    /// For the server's thread, after it woke: everything that has come in.
    func collect() -> Mail {
        state.withLock { state in
            state.isReaderAsleep = false
            defer { state.mail = Mail() }
            return state.mail
        }
    }
}
