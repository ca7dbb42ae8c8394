import GRDB
import GRDBSQLite
import JobModel
import JobStore

/// Performs operations inside the writer's transaction, and keeps what has to be told when it is committed. The verbs are in
/// its extensions. Confined to the writer's thread.
struct WriteSession {
    /// An input and a body up to this size stand in the rows of their batch.
    static let maximumInline = 1024

    let db: Database
    let sql: WriteStatements
    /// What observers hear of once the transaction is committed.
    var changes: [StoreChange] = []
    var active = ActiveBatches()
    var blocks = BlockMemory()
    var lanes = LaneMemory()
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
    mutating func perform(_ operation: WriteOperation) throws -> Settlement {
        switch operation {
        case .submit(let batch, let completion):
            if let crowding = try crowding(WorkLane(batch.options)) { return .refused(operation, crowding) }
            return .batch(try submit(batch), completion)
        case .requestCancel(let id, let completion):
            return .batchIfAny(try requestCancel(id), completion)
        case .record(let recordings, let completion):
            for recording in recordings { try record(recording) }
            return .done(completion)
        case .cancelPending(let id, let running, let time, let completion):
            try cancelPending(of: id, except: running, at: time)
            return .done(completion)
        case .changeQueue(let name, let change, let completion):
            if let crowding = try crowding(of: change, on: name) { return .refused(operation, crowding) }
            return .queue(try changeQueue(name, change), completion)
        case .recordDelivery(let attempt, let completion):
            try recordDelivery(attempt)
            return .done(completion)
        }
    }

    // MARK: Batches

    /// The unfinished batch with this identifier. Throws `conflict` if there is none.
    mutating func unfinishedBatch(_ id: BatchID) throws -> ActiveBatch {
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

    mutating func remember(_ row: BatchRow) throws -> ActiveBatch {
        let end = try lastResultEnd(in: row.jobs)
        let block = try countOfBlock(base: row.base, lane: WorkLane(row.record.options))
        let batch = ActiveBatch(row, frontier: end.map { $0 - row.base } ?? 0, block: block)
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

    // MARK: Progress

    /// Progress is written once a transaction, however many recordings changed them.
    mutating func postponeWriting(_ batch: ActiveBatch) {
        if batch.needsWriting { return }
        batch.needsWriting = true
        unwritten.append(batch)
    }

    /// Writes what was postponed. To be called before the transaction or the savepoint ends.
    mutating func flush() throws {
        for batch in unwritten where batch.needsWriting { try writeProgress(of: batch) }
        unwritten.removeAll(keepingCapacity: true)
    }

    func writeProgress(of batch: ActiveBatch) throws {
        let progress = batch.progress
        let statement = sql.writeProgress
        try statement.bind(batch.base, at: 1)
        try statement.bind(progress.phase.stored, at: 2)
        try statement.bind(progress.counts.succeeded, at: 3)
        try statement.bind(progress.counts.failed, at: 4)
        try statement.bind(progress.counts.cancelled, at: 5)
        try statement.bind(progress.counts.expired, at: 6)
        try statement.bind(progress.startedAt, at: 7)
        try statement.bind(progress.finishedAt, at: 8)
        try statement.bind(StoredCounters.encode(batch.counters), at: 10)
        try statement.bind(batch.logBytes, at: 11)
        if let body = batch.onlyBody { try statement.run(binding: body, at: 9) } else { try statement.run() }
        batch.needsWriting = false
    }

    // MARK: Transactions

    /// Takes what the committed transaction has changed.
    mutating func takeChanges() -> [StoreChange] {
        defer { changes = [] }
        return changes
    }

    /// Forgets all that is remembered of rows which a rollback has undone.
    /// - Parameter changes: of what was not undone.
    mutating func forget(keeping changes: [StoreChange] = []) {
        self.changes = changes
        active.removeAll()
        blocks = BlockMemory()
        unwritten.removeAll()
    }
}
