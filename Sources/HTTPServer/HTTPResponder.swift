import Synchronization

/// The one answer to one request. If it goes away unused, the client gets a 500, so a request never hangs for lack of an owner.
package final class HTTPResponder: Sendable {
    private let handoff: Handoff

    init(_ handoff: Handoff) {
        self.handoff = handoff
    }

    deinit {
        handoff.give(.abandoned)
    }

    /// Once, now or later, from any thread. A second response is a mistake of the caller: it traps in debug builds and is
    /// dropped otherwise. If the client is gone the response is dropped, its stream cancelled.
    package func respond(_ response: HTTPResponse) {
        handoff.give(.response(response))
    }

    /// Runs `body` once if the client goes away, or the server stops, before the response was given: on the server's thread,
    /// or at once if that has happened already. Best effort: a client that closes its connection in order cannot be told from one
    /// that has only sent its last byte, until the network asks after it, up to two minutes later.
    package func onDisconnect(_ body: @escaping @Sendable () -> Void) {
        handoff.onDisconnect(body)
    }
}

/// Where the handler's thread leaves a response and the server's thread finds it.
final class Handoff: Sendable {
    enum Answer: Sendable {
        case response(HTTPResponse)
        /// Nobody can answer any more.
        case abandoned
    }

    private struct State {
        var answer: Answer?
        var isAnswered = false
        /// The connection is suspended and waits for a ticket.
        var isParked = false
        var isClientGone = false
        /// Libmicrohttpd is done with the request; nobody will take an answer.
        var isClosed = false
        var onDisconnect: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    private let mailbox: Mailbox
    private let ticket: Ticket

    init(mailbox: Mailbox, ticket: Ticket) {
        self.mailbox = mailbox
        self.ticket = ticket
    }

    func give(_ answer: Answer) {
        enum Next { case nothing, wake, drop, complain }
        // The bodies that are no longer needed are released outside the lock: their owners may call back.
        let (next, unneeded) = state.withLock { state -> (Next, [@Sendable () -> Void]) in
            guard !state.isAnswered else {
                if case .abandoned = answer { return (.nothing, []) }
                return (.complain, [])
            }
            state.isAnswered = true
            let unneeded = state.onDisconnect
            state.onDisconnect = []
            if state.isClosed { return (.drop, unneeded) }
            state.answer = answer
            defer { state.isParked = false }
            return (state.isParked ? .wake : .nothing, unneeded)
        }
        withExtendedLifetime(unneeded) {}
        switch next {
        case .nothing: break
        case .wake: mailbox.post(ticket)
        case .drop: Self.drop(answer)
        case .complain:
            Self.drop(answer)
            assertionFailure("a request is answered once")
        }
    }

    func onDisconnect(_ body: @escaping @Sendable () -> Void) {
        let runsNow = state.withLock { state in
            if state.isAnswered { return false }
            if state.isClientGone { return true }
            state.onDisconnect.append(body)
            return false
        }
        if runsNow { body() }
    }

    /// For the server's thread: the answer, or nil after arranging for a ticket once there is one.
    func takeOrPark() -> Answer? {
        state.withLock { state in
            defer { state.answer = nil }
            state.isParked = state.answer == nil
            return state.answer
        }
    }

    /// For the server's thread: tells whoever wants to know, if there is no answer yet.
    func clientIsGone() {
        let bodies = state.withLock { state in
            state.isClientGone = true
            defer { state.onDisconnect = [] }
            return state.onDisconnect
        }
        for body in bodies { body() }
    }

    /// For the server's thread: the request has ended, with its answer taken or not.
    func close() {
        let answer = state.withLock { state in
            state.isClosed = true
            defer { state.answer = nil }
            return state.answer
        }
        clientIsGone()
        if let answer { Self.drop(answer) }
    }

    private static func drop(_ answer: Answer) {
        if case .response(let response) = answer, case .stream(let stream) = response.body { stream.cancel() }
    }
}
