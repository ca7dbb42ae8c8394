import GRDB
import JobStore
import Platform

/// Writes a group of operations in one transaction and tells everybody afterwards. Confined to the writer's thread.
///
/// An operation that contradicts what is stored is a rare thing, so it is not guarded against beforehand: the transaction is
/// rolled back and done again with a savepoint around each operation, and only the contradiction is refused.
struct GroupCommitter {
    private enum Mode { case plain, guarded }

    private var session: WriteSession
    private let checkpointer: Checkpointer
    private let observers: ObserverList
    private let onBroken: @Sendable (StoreError) -> Void
    private var space: DiskSpace
    /// Set once, when nothing that is said about commits could be trusted any more.
    private var breakdown: StoreError?

    init(
        _ db: Database, space: DiskSpace, observers: ObserverList,
        onBroken: @escaping @Sendable (StoreError) -> Void
    ) throws {
        session = try WriteSession(db)
        checkpointer = Checkpointer(db)
        self.space = space
        self.observers = observers
        self.onBroken = onBroken
    }

    mutating func process(_ group: ArraySlice<WriteOperation>) {
        if let breakdown {
            for operation in group { operation.refuse(breakdown) }
            return
        }
        let settlements = write(group)
        let changes = session.takeChanges()
        if !changes.isEmpty { observers.tell(changes) }
        for settlement in settlements { settlement.tell() }
        if breakdown == nil { checkpointer.checkpointIfDue() }
    }

    /// - Returns: the answers, in order. What they say has happened.
    private mutating func write(_ group: ArraySlice<WriteOperation>) -> [Settlement] {
        var mode = Mode.plain
        var hasMadeRoom = false
        var refusal = group.contains(where: \.isSubmission) ? space.refusesNewWork() : nil
        while true {
            do {
                return try transact(group, mode: mode, refusingNewWork: refusal)
            } catch {
                let error = StoreError(error)
                do {
                    try rollBack()
                } catch {
                    return breakDown(StoreError(error), refusing: group)
                }
                switch error {
                case .conflict where mode == .plain:
                    mode = .guarded
                case .full where !hasMadeRoom:
                    hasMadeRoom = true
                    refusal = error
                    space.throwOffBallast()
                    if space.hasRoomToMoveLog { checkpointer.shrinkLog() }
                case .full:
                    return group.map { .refused($0, error) }
                default:
                    return breakDown(error, refusing: group)
                }
            }
        }
    }

    private mutating func transact(
        _ group: ArraySlice<WriteOperation>, mode: Mode, refusingNewWork refusal: StoreError?
    ) throws
        -> [Settlement]
    {
        var settlements: [Settlement] = []
        settlements.reserveCapacity(group.count)
        try session.sql.begin.run()
        for operation in group {
            if let refusal, operation.isSubmission {
                settlements.append(.refused(operation, refusal))
            } else if mode == .plain {
                settlements.append(try session.perform(operation))
            } else {
                settlements.append(try performGuarded(operation))
            }
        }
        try session.flush()
        try session.sql.commit.run()
        return settlements
    }

    private mutating func performGuarded(_ operation: WriteOperation) throws -> Settlement {
        let changes = session.changes
        try session.sql.savepoint.run()
        do {
            let settlement = try session.perform(operation)
            try session.flush()
            try session.sql.release.run()
            return settlement
        } catch {
            guard case .conflict = StoreError(error) else { throw error }
            try session.sql.rollbackToSavepoint.run()
            try session.sql.release.run()
            session.forget(keeping: changes)
            return .refused(operation, StoreError(error))
        }
    }

    private mutating func rollBack() throws {
        session.forget()
        // SQLite has rolled back by itself after some errors.
        if session.db.isInsideTransaction { try session.sql.rollback.run() }
    }

    private mutating func breakDown(_ error: StoreError, refusing group: ArraySlice<WriteOperation>) -> [Settlement] {
        let breakdown = if case .broken = error { error } else { StoreError.broken("\(error)") }
        self.breakdown = breakdown
        session.forget()
        onBroken(breakdown)
        return group.map { .refused($0, breakdown) }
    }
}
