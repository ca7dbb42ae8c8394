import Platform

/// Messages for a component that handles them one after the other. Whoever handles them has the *turn*.
///
/// Usually that is the component's own thread. But a light message that comes while this thread sleeps is handled at once, on
/// the thread that brings it: waking another one takes longer than the work.
final class TurnInbox<Message: Sendable>: Sendable {
    private struct State: Sendable {
        var messages: [Message] = []
        /// The owner's thread has the turn until it sleeps for the first time.
        var isTurnTaken = true
        /// Whoever had the turn last could not do everything.
        var isWorkLeft = false
        var due: MonotonicTime?
        /// Until when the owner's thread sleeps at most; nil: until it is woken.
        var alarm: MonotonicTime?
        var isStopping = false
    }

    private let monitor = Monitor(State())

    /// True: the caller has the turn for this message, and must call `endTurn`. False: the message is in the inbox.
    func put(_ message: Message, isLight: Bool) -> Bool {
        let (hasTurn, isThreadAsleep) = monitor.withLock { state in
            let isFree = !state.isTurnTaken && !state.isStopping
            if isLight, isFree, state.messages.isEmpty, !state.isWorkLeft {
                state.isTurnTaken = true
                return (true, false)
            }
            state.messages.append(message)
            return (false, isFree)
        }
        if isThreadAsleep { monitor.notify() }
        return hasTurn
    }

    /// - Parameters:
    ///   - due: when something is to be done without a message.
    ///   - isWorkLeft: there is something to do that only the owner's thread may do.
    func endTurn(due: MonotonicTime?, isWorkLeft: Bool) {
        let isThreadNeeded = monitor.withLock { state in
            let sleepsTooLong = due.map { due in state.alarm.map { due < $0 } ?? true } ?? false
            state.isTurnTaken = false
            state.due = due
            state.isWorkLeft = isWorkLeft
            return sleepsTooLong || isWorkLeft || !state.messages.isEmpty || state.isStopping
        }
        if isThreadNeeded { monitor.notify() }
    }

    /// For the owner's thread: gives the turn back, sleeps until there is something to do, and takes the turn.
    /// - Parameter messages: empty; gets what has come, which may be nothing. Its memory is used for what comes next.
    /// - Returns: false when the component stops; the turn is nobody's from then on.
    func receive(_ messages: inout [Message], due: MonotonicTime?, now: () -> MonotonicTime) -> Bool {
        var hasTurn = true
        var received: [Message] = []
        swap(&received, &messages)
        let isRunning = monitor.wait { state -> Monitor<State>.Step<Bool> in
            if hasTurn {
                hasTurn = false
                state.isTurnTaken = false
                state.due = due
            }
            if state.isTurnTaken {
                // Whoever has the turn says at its end what is due.
                state.alarm = nil
                return .sleep(until: nil)
            }
            if state.isStopping { return .done(false) }
            let isDue = state.due.map { $0 <= now() } ?? false
            guard isDue || state.isWorkLeft || !state.messages.isEmpty else {
                state.alarm = state.due
                return .sleep(until: state.due)
            }
            state.isTurnTaken = true
            state.isWorkLeft = false
            swap(&received, &state.messages)
            return .done(true)
        }
        swap(&received, &messages)
        return isRunning
    }

    /// What is in the inbox stays there.
    func stop() {
        monitor.withLock { $0.isStopping = true }
        monitor.notify()
    }
}
