import GRDB
import JobStore
import Platform

/// A few connections that can only read. Each read is short, a page at a time: a reader that never lets go would keep the
/// write-ahead log from being moved.
final class ReaderPool: Sendable {
    private struct State {
        var free: [DatabaseQueue]
        var isClosed = false
    }

    private let monitor: Monitor<State>
    private let count: Int

    /// - Parameter connections: at least one.
    init(_ connections: [DatabaseQueue]) {
        count = connections.count
        monitor = Monitor(State(free: connections))
    }

    /// Waits for a free connection. Each statement in `body` sees the latest commit; see `snapshot` for several that belong together.
    func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        let connection: DatabaseQueue? = monitor.wait { state in
            if state.isClosed { return .done(nil) }
            guard let connection = state.free.popLast() else { return .sleep(until: nil) }
            return .done(connection)
        }
        guard let connection else { throw .closed }
        defer {
            monitor.withLock { $0.free.append(connection) }
            // Everyone, as `close` may be waiting beside other readers.
            monitor.notifyAll()
        }
        do {
            return try connection.unsafeRead(body)
        } catch {
            throw StoreError(error)
        }
    }

    /// Like `read`, and all statements of `body` see the same commit.
    func snapshot<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        try read { db in
            try db.cached("BEGIN").run()
            // A transaction that only read has nothing to lose, however it ends.
            defer { try? db.cached("COMMIT").run() }
            return try body(db)
        }
    }

    /// Waits for the reads that are under way, and closes the connections.
    func close() throws(StoreError) {
        monitor.withLock { $0.isClosed = true }
        monitor.notifyAll()
        let connections: [DatabaseQueue] = monitor.wait { state in
            guard state.free.count == count else { return .sleep(until: nil) }
            return .done(state.free)
        }
        do {
            for connection in connections { try connection.close() }
        } catch {
            throw StoreError(error)
        }
    }
}
