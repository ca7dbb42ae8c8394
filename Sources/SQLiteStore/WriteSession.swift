import GRDB
import GRDBSQLite
import JobModel
import JobStore

/// Performs operations inside the writer's transaction, and keeps what has to be told when it is committed. The verbs are in
/// its extensions. Confined to the writer's thread.
final class WriteSession {
    let db: Database
    let sql: WriteStatements
    /// What observers hear of once the transaction is committed.
    var changes: [StoreChange] = []
    var active = ActiveBatches()
    /// The number that the first job of the next batch gets.
    var nextBase: Int
    var deliveryIDs = ULIDGenerator()
    /// Batches with `needsWriting`.
    private var unwritten: [ActiveBatch] = []

    init(_ db: Database) throws {
        self.db = db
        sql = try WriteStatements(db)
        nextBase = try Int.fetchOne(db, sql: "SELECT base + total FROM batches ORDER BY base DESC LIMIT 1") ?? 0
    }

    /// - Throws: `StoreError.conflict` if the operation contradicts what is stored; it may have changed rows by then.
    func perform(_ operation: WriteOperation) throws -> Settlement {
        switch operation {
        case .submit(let batch, let completion):
            return .batch(try submit(batch), completion)
        case .requestCancel(let id, let completion):
            return .batchIfAny(try requestCancel(id), completion)
        case .record(let recordings, let completion):
            for recording in recordings { try record(recording) }
            return .done(completion)
        case .cancelPending(let id, let running, let time, let completion):
            try cancelPending(of: id, except: running, at: time)
            return .done(completion)
        case .recordDelivery(let attempt, let completion):
            try recordDelivery(attempt)
            return .done(completion)
        }
    }

    // MARK: Batches

    /// The unfinished batch with this identifier. Throws `conflict` if there is none.
    func unfinishedBatch(_ id: BatchID) throws -> ActiveBatch {
        if let batch = active.find(id) { return batch }
        guard let row = try storedBatch(id) else { throw StoreError.conflict("there is no batch \(id)") }
        guard !row.record.isFinished else { throw StoreError.conflict("batch \(id) is finished") }
        return try remember(row)
    }

    func storedBatch(_ id: BatchID) throws -> BatchRow? {
        defer { sql.selectBatch.reset() }
        try sql.selectBatch.bind(id.ulid, at: 1)
        return try sql.selectBatch.step() ? try BatchRow(sql.selectBatch) : nil
    }

    func remember(_ row: BatchRow) throws -> ActiveBatch {
        let end = try lastResultEnd(in: row.jobs)
        let batch = ActiveBatch(base: row.base, record: row.record, frontier: end.map { $0 - row.base } ?? 0)
        active.insert(batch)
        return batch
    }

    /// Where the last row of results ends that begins in a range of job numbers.
    func lastResultEnd(in jobs: Range<Int>) throws -> Int? {
        defer { sql.lastResultEnd.reset() }
        try sql.lastResultEnd.bind(jobs.lowerBound, at: 1)
        try sql.lastResultEnd.bind(jobs.upperBound, at: 2)
        return try sql.lastResultEnd.step() ? sql.lastResultEnd.integer(0) : nil
    }

    // MARK: Counters

    /// Counters are written once a transaction, however many recordings changed them.
    func postponeWriting(_ batch: ActiveBatch) {
        if batch.needsWriting { return }
        batch.needsWriting = true
        unwritten.append(batch)
    }

    /// Writes what was postponed. To be called before the transaction or the savepoint ends.
    func flush() throws {
        for batch in unwritten where batch.needsWriting {
            try bindCounts(of: batch, to: sql.updateCounts)
            try sql.updateCounts.run()
            batch.needsWriting = false
        }
        unwritten.removeAll(keepingCapacity: true)
    }

    /// The first six parameters of `updateCounts` and `finish`.
    func bindCounts(of batch: ActiveBatch, to statement: SQLStatement) throws {
        let counts = batch.record.counts
        try statement.bind(batch.base, at: 1)
        try statement.bind(counts.succeeded, at: 2)
        try statement.bind(counts.failed, at: 3)
        try statement.bind(counts.cancelled, at: 4)
        try statement.bind(counts.expired, at: 5)
        try statement.bind(batch.record.startedAt, at: 6)
    }

    // MARK: Transactions

    /// Takes what the committed transaction has changed.
    func takeChanges() -> [StoreChange] {
        defer { changes = [] }
        return changes
    }

    /// Forgets all that is remembered of rows which a rollback has undone.
    /// - Parameter changes: of what was not undone.
    func forget(keeping changes: [StoreChange] = []) {
        self.changes = changes
        active.removeAll()
        unwritten.removeAll()
    }
}
