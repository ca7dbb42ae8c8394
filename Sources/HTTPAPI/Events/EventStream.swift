import HTTPServer
import JobModel
import Synchronization

/// The events of one client.
final class EventStream: HTTPBodyStream {
    private struct State {
        var queue: EventQueue
        /// The server wants the next part.
        var deliver: (@Sendable (HTTPBodyPart) -> Void)?
        /// Nothing comes behind what waits.
        var isEnding = false
        var isGone = false
    }

    let number: UInt64
    /// Nil: of all batches.
    let batch: BatchID?
    private let state: Mutex<State>
    private let onGone: @Sendable () -> Void

    /// - Parameter onGone: called once, when the client is gone or has got everything.
    init(number: UInt64, batch: BatchID?, limit: Int, onGone: @escaping @Sendable () -> Void) {
        self.number = number
        self.batch = batch
        self.onGone = onGone
        var queue = EventQueue(limit: limit)
        queue.push(EventText.hello)
        state = Mutex(State(queue: queue))
    }

    /// Dropped if the stream is ending.
    func push(_ event: [UInt8], about subject: EventQueue.Subject? = nil) {
        change { state in
            if !state.isEnding { state.queue.push(event, about: subject) }
        }
    }

    /// A sign of life, if nothing else waits to be sent.
    func beat() {
        change { state in
            if state.queue.isEmpty { state.queue.push(EventText.heartbeat) }
        }
    }

    /// What waits is still sent.
    func end() { change { $0.isEnding = true } }

    func next(_ deliver: @escaping @Sendable (HTTPBodyPart) -> Void) { change { $0.deliver = deliver } }

    func cancel() {
        let wasGone = state.withLock { state in
            state.deliver = nil
            defer { state.isGone = true }
            return state.isGone
        }
        if !wasGone { onGone() }
    }

    /// Changes the state, then hands on what can be handed on.
    private func change(_ body: (inout State) -> Void) {
        let handOn = state.withLock { [onGone] state -> (@Sendable () -> Void)? in
            guard !state.isGone else { return nil }
            body(&state)
            guard let deliver = state.deliver, !state.queue.isEmpty || state.isEnding else { return nil }
            state.deliver = nil
            guard state.queue.isEmpty else {
                let events = state.queue.take()
                return { deliver(.bytes(events)) }
            }
            state.isGone = true
            return {
                deliver(.end)
                onGone()
            }
        }
        handOn?()
    }
}
