import JobStore
import Platform

/// What waits for the writer. Any thread puts in; the writer takes everything that is there.
final class WriteInbox: Sendable {
    private struct State {
        var operations: [WriteOperation] = []
        var isClosed = false
    }

    private let monitor = Monitor(State())

    /// After `close` the operation is refused at once, on the caller's thread.
    func put(_ operation: WriteOperation) {
        let isClosed = monitor.withLock { state in
            if !state.isClosed { state.operations.append(operation) }
            return state.isClosed
        }
        if isClosed { operation.refuse(.closed) } else { monitor.notify() }
    }

    /// Nothing more comes in; what is there will still be written.
    func close() {
        monitor.withLock { $0.isClosed = true }
        monitor.notify()
    }

    /// Sleeps until there is something. Empty means closed.
    /// - Parameter buffer: an empty array whose memory is used for what comes next.
    func takeAll(reusing buffer: consuming [WriteOperation]) -> [WriteOperation] {
        var taken = buffer
        monitor.wait { state -> Monitor<State>.Step<Void> in
            if state.operations.isEmpty && !state.isClosed { return .sleep(until: nil) }
            swap(&taken, &state.operations)
            return .done(())
        }
        return taken
    }
}
