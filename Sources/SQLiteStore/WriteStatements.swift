import GRDB

/// The statements of the writer, prepared once.
struct WriteStatements {
    let begin, commit, rollback: SQLStatement
    let savepoint, release, rollbackToSavepoint: SQLStatement
    let insertBatch, selectBatch, writeProgress: SQLStatement
    let insertHandlerBlock, insertQueueBlock, insertUnfinishedBlock, deleteUnfinishedBlock: SQLStatement
    let insertCancelledBlock: SQLStatement
    let lastBase, blockLanes, countUnfinished: SQLStatement
    let insertSegment, insertSharedValue: SQLStatement
    let insertResult, lastResultEnd, resultRanges, failedResults: SQLStatement
    let insertAttempt: SQLStatement
    let jobLogBytes, appendLog: SQLStatement
    let countQueues, selectQueue, writeQueue, deleteQueue: SQLStatement
    let insertDelivery, updateDelivery: SQLStatement

    init(_ db: Database) throws {
        begin = try db.cached("BEGIN IMMEDIATE")
        commit = try db.cached("COMMIT")
        rollback = try db.cached("ROLLBACK")
        savepoint = try db.cached("SAVEPOINT operation")
        release = try db.cached("RELEASE operation")
        rollbackToSavepoint = try db.cached("ROLLBACK TO operation")

        insertBatch = try db.cached(BatchRow.insertion)
        selectBatch = try db.cached(BatchRow.selectionByID)
        // Writes over a row in its place, as there is no index.
        writeProgress = try db.cached(
            """
            REPLACE INTO progress (base, phase, succeeded, failed, cancelled, expired, started_at, finished_at, body,
                counters, log_bytes)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """)

        insertHandlerBlock = try db.cached("INSERT OR IGNORE INTO handler_blocks (handler, block) VALUES (?1, ?2)")
        insertQueueBlock = try db.cached("INSERT OR IGNORE INTO queue_blocks (queue, block) VALUES (?1, ?2)")
        insertUnfinishedBlock = try db.cached(
            "INSERT INTO unfinished_blocks (queue, priority, block) VALUES (?1, ?2, ?3)")
        deleteUnfinishedBlock = try db.cached(
            "DELETE FROM unfinished_blocks WHERE queue = ?1 AND priority = ?2 AND block = ?3")
        insertCancelledBlock = try db.cached("INSERT OR IGNORE INTO cancelled_blocks (block) VALUES (?1)")
        lastBase = try db.cached("SELECT base FROM batches ORDER BY base DESC LIMIT 1")
        blockLanes = try db.cached("SELECT queue, priority FROM unfinished_blocks WHERE block = ?1")
        countUnfinished = try db.cached(
            """
            SELECT count(*) FROM \(BatchRow.tables)
            WHERE b.base >= ?1 AND b.base < ?2 AND b.priority = ?3 AND b.queue IS ?4 AND coalesce(p.phase, 0) < 2
            """)

        insertSegment = try db.cached("INSERT INTO segments (job, count, input) VALUES (?1, ?2, ?3)")

        insertSharedValue = try db.cached("INSERT INTO shared_values (base, value) VALUES (?1, ?2)")

        insertResult = try db.cached("INSERT INTO results (job, count, outcome, body) VALUES (?1, ?2, ?3, ?4)")
        lastResultEnd = try db.cached(
            "SELECT job + count FROM results WHERE job >= ?1 AND job < ?2 ORDER BY job DESC LIMIT 1")
        failedResults = try db.cached(
            """
            SELECT job, body FROM results INDEXED BY results_failed
            WHERE outcome = 1 AND job >= ?1 AND job < ?2 ORDER BY job
            """)
        resultRanges = try db.cached("SELECT job, count FROM results WHERE job >= ?1 AND job < ?2 ORDER BY job")

        insertAttempt = try db.cached(
            """
            INSERT INTO attempts (job, number, started_at, finished_at, retry_at, failure)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """)

        jobLogBytes = try db.cached("SELECT coalesce(sum(bytes), 0) FROM logs WHERE job = ?1")
        appendLog = try db.cached(
            """
            INSERT INTO logs (job, attempt, bytes, dropped, lines) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (job, attempt) DO UPDATE SET bytes = bytes + excluded.bytes, dropped = dropped + excluded.dropped,
                lines = CAST(iif(lines = x'', excluded.lines, iif(excluded.lines = x'', lines, lines || ',' || excluded.lines)) AS BLOB)
            """)

        countQueues = try db.cached("SELECT count(*) FROM queues")
        selectQueue = try db.cached("\(QueueRow.selection) WHERE name = ?1")
        writeQueue = try db.cached(
            "REPLACE INTO queues (name, priority, concurrency, paused) VALUES (?1, ?2, ?3, ?4)")
        deleteQueue = try db.cached("DELETE FROM queues WHERE name = ?1")

        insertDelivery = try db.cached(
            """
            INSERT INTO deliveries (id, batch, event, url, secret, body, state, attempts, due_at, created_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            """)
        updateDelivery = try db.cached(
            """
            UPDATE deliveries SET state = ?2, attempts = attempts + 1, due_at = coalesce(?3, due_at), last_status = ?4,
                last_error = ?5
            WHERE id = ?1 AND state = 0
            """)
    }
}
