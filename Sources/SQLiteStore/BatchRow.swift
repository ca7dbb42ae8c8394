import GRDB
import JobModel
import JobStore

/// What is stored of a batch without its work: the record, and the number of the batch's first job.
struct BatchRow {
    var base: Int
    var record: BatchRecord
    /// What its jobs' logs have used up of `JobLog.bytesPerBatch`.
    var logBytes = 0

    /// The numbers of its jobs.
    var jobs: Range<Int> { base..<base + record.total }

    /// Of `tables`.
    static let columns = """
        b.base, b.id, b.total, b.created_at, b.handler, b.priority, b.options, b.traceparent, b.shared_bytes, \
        p.phase, p.succeeded, p.failed, p.cancelled, p.expired, p.started_at, p.finished_at, p.counters, p.log_bytes, \
        b.queue
        """

    /// Of `columns`: the number of the first column behind them.
    static let columnCount: Int32 = 19

    /// Without a row of progress, its columns are NULL, which reads as zero.
    static let tables = "batches b LEFT JOIN progress p ON p.base = b.base"

    /// Parameters as `bindConstants` binds them, and the input of the only segment.
    static let insertion = """
        INSERT INTO batches (base, id, total, created_at, handler, priority, options, traceparent, shared_bytes, queue,
            input)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        """

    /// Of the input in `insertion`.
    static let inputParameter: Int32 = 11

    static let selectionByID = "SELECT \(columns) FROM \(tables) WHERE b.id = ?1"

    init(base: Int, record: BatchRecord) {
        self.base = base
        self.record = record
    }

    /// Reads the current row of a statement that selects `columns`.
    init(_ row: SQLStatement) throws {
        base = row.integer(0)
        var options = StoredOptions.decode(row.optionalBytes(6))
        options.priority = row.integer(5)
        options.traceparent = row.optionalText(7)
        options.queue = row.optionalText(18) ?? QueueSettings.defaultName
        let counts = OutcomeCounts(
            succeeded: row.integer(10), failed: row.integer(11), cancelled: row.integer(12), expired: row.integer(13))
        record = BatchRecord(
            id: BatchID(try row.ulid(1)), handler: row.text(4), options: options, total: row.integer(2),
            sharedBytes: row.optionalInteger(8), counts: counts,
            counters: StoredCounters.decode(row.optionalBytes(16)),
            phase: try BatchRecord.Phase(stored: row.integer(9)),
            createdAt: row.time(3), startedAt: row.optionalTime(14), finishedAt: row.optionalTime(15))
        logBytes = row.integer(17)
    }

    /// Binds what never changes to `insertion`.
    func bindConstants(to row: SQLStatement) throws {
        try row.bind(base, at: 1)
        try row.bind(record.id.ulid, at: 2)
        try row.bind(record.total, at: 3)
        try row.bind(record.createdAt, at: 4)
        try row.bind(record.handler, at: 5)
        try row.bind(record.options.priority, at: 6)
        try row.bind(StoredOptions.encode(record.options), at: 7)
        try row.bind(record.options.traceparent, at: 8)
        try row.bind(record.sharedBytes, at: 9)
        try row.bind(QueueSettings.stored(record.options.queue), at: 10)
    }
}

extension Database {
    func batchRow(_ id: BatchID) throws -> BatchRow? {
        let statement = try cached(BatchRow.selectionByID)
        defer { statement.reset() }
        try statement.bind(id.ulid, at: 1)
        return try statement.step() ? try BatchRow(statement) : nil
    }
}
