import GRDB
import JobModel
import JobStore

/// A row of `batches`: the record, and the number of the batch's first job.
struct BatchRow {
    var base: Int
    var record: BatchRecord

    /// The numbers of its jobs.
    var jobs: Range<Int> { base..<base + record.total }

    static let columns = """
        base, id, phase, total, succeeded, failed, cancelled, expired, created_at, started_at, finished_at, handler, \
        priority, chunk_size, max_attempts, backoff_initial, backoff_factor, backoff_maximum, backoff_jitter, timeout, \
        callback_url, callback_events, callback_secret, metadata
        """

    /// Of `columns`: the number of the first column behind them.
    static let columnCount: Int32 = 24

    /// Parameters in the order of `columns`.
    static let insertion = """
        INSERT INTO batches (\(columns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)
        """

    static let selectionByID = "SELECT \(columns) FROM batches WHERE id = ?1"

    init(base: Int, record: BatchRecord) {
        self.base = base
        self.record = record
    }

    /// Reads the current row of a statement that selects `columns`.
    init(_ row: SQLStatement) throws {
        base = row.integer(0)
        let backoff = Backoff(
            initial: row.double(15), factor: row.double(16), maximum: row.double(17), jitter: row.double(18))
        let callback = row.optionalText(20).map { url in
            Callback(url: url, events: Callback.events(stored: row.text(21)), secret: row.optionalText(22))
        }
        let options = BatchOptions(
            priority: row.integer(12), chunkSize: ChunkSize(stored: row.optionalInteger(13)),
            retries: RetryPolicy(maximumAttempts: row.integer(14), backoff: backoff),
            timeout: row.optionalDouble(19), callback: callback, metadata: row.optionalBytes(23))
        let counts = OutcomeCounts(
            succeeded: row.integer(4), failed: row.integer(5), cancelled: row.integer(6), expired: row.integer(7))
        record = BatchRecord(
            id: BatchID(try row.ulid(1)), handler: row.text(11), options: options, total: row.integer(3),
            counts: counts, phase: try BatchRecord.Phase(stored: row.integer(2)), createdAt: row.time(8),
            startedAt: row.optionalTime(9), finishedAt: row.optionalTime(10))
    }

    /// Binds all of `columns` to a statement, such as `insertion`.
    func bind(to row: SQLStatement) throws {
        let options = record.options
        try row.bind(base, at: 1)
        try row.bind(record.id.ulid, at: 2)
        try row.bind(record.phase.stored, at: 3)
        try row.bind(record.total, at: 4)
        try row.bind(record.counts.succeeded, at: 5)
        try row.bind(record.counts.failed, at: 6)
        try row.bind(record.counts.cancelled, at: 7)
        try row.bind(record.counts.expired, at: 8)
        try row.bind(record.createdAt, at: 9)
        try row.bind(record.startedAt, at: 10)
        try row.bind(record.finishedAt, at: 11)
        try row.bind(record.handler, at: 12)
        try row.bind(options.priority, at: 13)
        try row.bind(options.chunkSize.stored, at: 14)
        try row.bind(options.retries.maximumAttempts, at: 15)
        try row.bind(options.retries.backoff.initial, at: 16)
        try row.bind(options.retries.backoff.factor, at: 17)
        try row.bind(options.retries.backoff.maximum, at: 18)
        try row.bind(options.retries.backoff.jitter, at: 19)
        try row.bind(options.timeout, at: 20)
        try row.bind(options.callback?.url, at: 21)
        try row.bind(options.callback?.storedEvents, at: 22)
        try row.bind(options.callback?.secret, at: 23)
        try row.bind(options.metadata, at: 24)
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
