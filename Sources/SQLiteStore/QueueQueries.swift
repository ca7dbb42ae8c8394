import GRDB
import JobModel
import JobStore

/// A row of `queues`.
enum QueueRow {
    static let selection = "SELECT name, priority, concurrency, paused FROM queues"

    /// Reads the current row of a statement that begins with `selection`.
    static func record(_ row: SQLStatement) -> QueueRecord {
        QueueRecord(
            name: row.text(0),
            settings: QueueSettings(
                priority: row.integer(1), concurrency: row.optionalInteger(2), isPaused: row.integer(3) == 1))
    }
}

/// Queues, their settings, and what is left to do in them.
enum QueueQueries {
    static func settings(_ db: Database) throws -> [QueueRecord] {
        let statement = try db.cached("\(QueueRow.selection) ORDER BY name")
        defer { statement.reset() }
        var records: [QueueRecord] = []
        while try statement.step() { records.append(QueueRow.record(statement)) }
        return records
    }

    static func overview(_ db: Database, _ name: String) throws -> QueueOverview {
        QueueOverview(
            record: try stored(db, name) ?? QueueRecord(name: name), backlog: try backlog(db, of: name))
    }

    /// Jumps from one name to the next.
    static func overviews(_ db: Database, after: String?, limit: Int) throws -> [QueueOverview] {
        let statement = try db.cached(
            """
            SELECT min(name) FROM (
                SELECT min(name) AS name FROM queues WHERE name > ?1
                UNION ALL SELECT min(queue) FROM unfinished_blocks WHERE queue > ?1
                UNION ALL SELECT ?2 WHERE ?2 > ?1
            )
            """)
        defer { statement.reset() }
        try statement.bind(QueueSettings.defaultName, at: 2)
        var overviews: [QueueOverview] = []
        var last = after ?? ""
        while overviews.count < limit {
            try statement.bind(last, at: 1)
            guard try statement.step(), let name = statement.optionalText(0) else { break }
            statement.reset()
            last = name
            let record = try stored(db, name)
            let backlog = try backlog(db, of: name)
            // All of the last block may be finished.
            if record != nil || backlog.batches > 0 || name == QueueSettings.defaultName {
                overviews.append(QueueOverview(record: record ?? QueueRecord(name: name), backlog: backlog))
            }
        }
        return overviews
    }

    private static func stored(_ db: Database, _ name: String) throws -> QueueRecord? {
        let statement = try db.cached("\(QueueRow.selection) WHERE name = ?1")
        defer { statement.reset() }
        try statement.bind(name, at: 1)
        return try statement.step() ? QueueRow.record(statement) : nil
    }

    /// Counts batch by batch.
    private static func backlog(_ db: Database, of name: String) throws -> QueueBacklog {
        let blocks = try db.cached("SELECT priority, block FROM unfinished_blocks WHERE queue = ?1")
        let batches = try db.cached(
            """
            SELECT b.total - coalesce(p.succeeded + p.failed + p.cancelled + p.expired, 0) FROM \(BatchRow.tables)
            WHERE b.base >= ?1 AND b.base < ?2 AND b.priority = ?3 AND b.queue IS ?4 AND coalesce(p.phase, 0) < 2
            """)
        defer {
            blocks.reset()
            batches.reset()
        }
        try blocks.bind(name, at: 1)
        try batches.bind(QueueSettings.stored(name), at: 4)
        var backlog = QueueBacklog()
        while try blocks.step() {
            let jobs = Block.jobs(blocks.integer(1))
            try batches.bind(jobs.lowerBound, at: 1)
            try batches.bind(jobs.upperBound, at: 2)
            try batches.bind(blocks.integer(0), at: 3)
            while try batches.step() {
                guard backlog.batches < QueueBacklog.maximumCounted else {
                    backlog.hasMore = true
                    return backlog
                }
                backlog.batches += 1
                backlog.jobs += batches.integer(0)
            }
            batches.reset()
        }
        return backlog
    }
}
