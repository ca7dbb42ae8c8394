import GRDB

/// The statements of the writer, prepared once.
struct WriteStatements {
    let begin, commit, rollback: SQLStatement
    let savepoint, release, rollbackToSavepoint: SQLStatement
    let insertBatch, selectBatch, updateCounts, updatePhase, finish: SQLStatement
    let insertSegment: SQLStatement
    let insertResult, lastResultEnd, resultRanges: SQLStatement
    let insertAttempt: SQLStatement
    let insertDelivery, updateDelivery: SQLStatement

    init(_ db: Database) throws {
        begin = try db.prepare("BEGIN IMMEDIATE")
        commit = try db.prepare("COMMIT")
        rollback = try db.prepare("ROLLBACK")
        savepoint = try db.prepare("SAVEPOINT operation")
        release = try db.prepare("RELEASE operation")
        rollbackToSavepoint = try db.prepare("ROLLBACK TO operation")

        insertBatch = try db.prepare(BatchRow.insertion)
        selectBatch = try db.prepare(BatchRow.selectionByID)
        // The counters change often and the phase rarely: it stands in the condition of indices, which would be written anew.
        updateCounts = try db.prepare(
            """
            UPDATE batches SET succeeded = ?2, failed = ?3, cancelled = ?4, expired = ?5, started_at = ?6 WHERE base = ?1
            """)
        updatePhase = try db.prepare("UPDATE batches SET phase = ?2 WHERE base = ?1")
        finish = try db.prepare(
            """
            UPDATE batches SET succeeded = ?2, failed = ?3, cancelled = ?4, expired = ?5, started_at = ?6, phase = ?7,
                finished_at = ?8 WHERE base = ?1
            """)

        insertSegment = try db.prepare("INSERT INTO segments (job, count, input) VALUES (?1, ?2, ?3)")

        insertResult = try db.prepare("INSERT INTO results (job, count, outcome, body) VALUES (?1, ?2, ?3, ?4)")
        lastResultEnd = try db.prepare(
            "SELECT job + count FROM results WHERE job >= ?1 AND job < ?2 ORDER BY job DESC LIMIT 1")
        resultRanges = try db.prepare("SELECT job, count FROM results WHERE job >= ?1 AND job < ?2 ORDER BY job")

        insertAttempt = try db.prepare(
            """
            INSERT INTO attempts (job, number, started_at, finished_at, retry_at, failure)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """)

        insertDelivery = try db.prepare(
            """
            INSERT INTO deliveries (id, batch, event, url, secret, body, state, attempts, due_at, created_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            """)
        updateDelivery = try db.prepare(
            """
            UPDATE deliveries SET state = ?2, attempts = attempts + 1, due_at = coalesce(?3, due_at), last_status = ?4,
                last_error = ?5
            WHERE id = ?1 AND state = 0
            """)
    }
}
