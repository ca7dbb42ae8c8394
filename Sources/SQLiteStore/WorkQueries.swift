import GRDB
import JSONBytes
import JobModel
import JobStore

/// Payloads, results and single jobs.
enum WorkQueries {
    static func segments(_ db: Database, of id: BatchID, covering range: Range<Int>, maximumBytes: Int) throws
        -> [Segment]
    {
        guard let batch = try db.batchRow(id) else { return [] }
        let wanted = range.clamped(to: 0..<batch.record.total)
        if wanted.isEmpty { return [] }
        if let input = try onlyInput(db, batch) { return [Segment(first: 0, count: batch.record.total, input: input)] }
        // The row that holds the first wanted job begins at it or before it.
        let statement = try db.cached(
            """
            SELECT job, count, input FROM segments
            WHERE job >= (SELECT max(job) FROM segments WHERE job <= ?1) AND job < ?2 ORDER BY job
            """)
        defer { statement.reset() }
        try statement.bind(batch.base + wanted.lowerBound, at: 1)
        try statement.bind(batch.base + wanted.upperBound, at: 2)
        var segments: [Segment] = []
        var bytes = 0
        while bytes < max(1, maximumBytes), try statement.step() {
            let input = statement.bytes(2)
            bytes += input.count
            segments.append(
                Segment(first: statement.integer(0) - batch.base, count: statement.integer(1), input: input))
        }
        return segments
    }

    static func sharedValue(_ db: Database, of id: BatchID) throws -> [UInt8]? {
        guard let batch = try db.batchRow(id) else { return nil }
        let statement = try db.cached("SELECT value FROM shared_values WHERE base = ?1")
        defer { statement.reset() }
        try statement.bind(batch.base, at: 1)
        return try statement.step() ? statement.bytes(0) : nil
    }

    static func results(_ db: Database, of id: BatchID, from first: Int, maximumBytes: Int) throws -> [OutcomeRun] {
        guard let batch = try db.batchRow(id), first < batch.record.total else { return [] }
        if let run = try onlyRun(db, batch) { return [run] }
        let start = batch.base + max(0, first)
        let statement = try db.cached(
            """
            SELECT job, count, outcome, body FROM results
            WHERE job >= coalesce((SELECT max(job) FROM results WHERE job <= ?1), 0) AND job < ?2 AND job + count > ?1
            ORDER BY job
            """)
        defer { statement.reset() }
        try statement.bind(start, at: 1)
        try statement.bind(batch.jobs.upperBound, at: 2)
        var runs: [OutcomeRun] = []
        var bytes = 0
        while bytes < max(1, maximumBytes), try statement.step() {
            let body = statement.bytes(3)
            bytes += body.count
            runs.append(
                OutcomeRun(
                    first: statement.integer(0) - batch.base, count: statement.integer(1),
                    outcome: try Outcome(stored: statement.integer(2)), body: body))
        }
        return runs
    }

    static func failedIndices(_ db: Database, of id: BatchID, limit: Int) throws -> [Int] {
        guard let batch = try db.batchRow(id), batch.record.counts.failed > 0 else { return [] }
        if batch.record.counts.failed == batch.record.total { return Array((0..<batch.record.total).prefix(limit)) }
        let statement = try db.cached(
            """
            SELECT job, count FROM results INDEXED BY results_failed
            WHERE outcome = 1 AND job >= ?1 AND job < ?2 ORDER BY job
            """)
        defer { statement.reset() }
        try statement.bind(batch.jobs.lowerBound, at: 1)
        try statement.bind(batch.jobs.upperBound, at: 2)
        var indices: [Int] = []
        while indices.count < limit, try statement.step() {
            let first = statement.integer(0) - batch.base
            indices.append(contentsOf: (first..<first + statement.integer(1)).prefix(limit - indices.count))
        }
        return indices
    }

    // MARK: One job

    static func job(_ db: Database, _ id: JobID) throws -> JobRecord? {
        guard let batch = try db.batchRow(id.batch), (0..<batch.record.total).contains(id.index) else { return nil }
        let result = try result(db, batch, id.index)
        return JobRecord(
            id: id, batch: batch.record, payload: try payload(db, batch, id.index), outcome: result?.outcome,
            body: result?.body, attempts: try attempts(db, batch.base + id.index, index: id.index),
            logs: try logs(db, batch.base + id.index, index: id.index))
    }

    private static func payload(_ db: Database, _ batch: BatchRow, _ index: Int) throws -> [UInt8] {
        if let input = try onlyInput(db, batch) { return element(index, of: input) }
        let number = batch.base + index
        let statement = try db.cached("SELECT job, input FROM segments WHERE job <= ?1 ORDER BY job DESC LIMIT 1")
        defer { statement.reset() }
        try statement.bind(number, at: 1)
        guard try statement.step() else { throw StoreError.broken("the payload of a job is missing") }
        return element(number - statement.integer(0), of: statement.bytes(1))
    }

    private static func result(_ db: Database, _ batch: BatchRow, _ index: Int) throws
        -> (outcome: Outcome, body: [UInt8]?)?
    {
        if let run = try onlyRun(db, batch) {
            return (run.outcome, run.body.isEmpty ? nil : element(index, of: run.body))
        }
        let number = batch.base + index
        let statement = try db.cached(
            "SELECT job, count, outcome, body FROM results WHERE job <= ?1 ORDER BY job DESC LIMIT 1")
        defer { statement.reset() }
        try statement.bind(number, at: 1)
        guard try statement.step() else { return nil }
        let first = statement.integer(0)
        guard number < first + statement.integer(1) else { return nil }
        let body = statement.bytes(3)
        return (try Outcome(stored: statement.integer(2)), body.isEmpty ? nil : element(number - first, of: body))
    }

    /// The input of a batch with one small segment.
    private static func onlyInput(_ db: Database, _ batch: BatchRow) throws -> [UInt8]? {
        let statement = try db.cached("SELECT input FROM batches WHERE base = ?1")
        defer { statement.reset() }
        try statement.bind(batch.base, at: 1)
        return try statement.step() ? statement.optionalBytes(0) : nil
    }

    /// The outcomes of a batch that ended with one small run of them.
    private static func onlyRun(_ db: Database, _ batch: BatchRow) throws -> OutcomeRun? {
        let record = batch.record
        guard record.isFinished, let outcome = Outcome.allCases.first(where: { record.counts[$0] == record.total })
        else { return nil }
        let statement = try db.cached("SELECT body FROM progress WHERE base = ?1")
        defer { statement.reset() }
        try statement.bind(batch.base, at: 1)
        guard try statement.step(), let body = statement.optionalBytes(0) else { return nil }
        return OutcomeRun(first: 0, count: record.total, outcome: outcome, body: body)
    }

    private static func element(_ index: Int, of values: [UInt8]) -> [UInt8] {
        Array(CommaSeparated.slice(values[...], dropping: index, taking: 1))
    }

    private static func attempts(_ db: Database, _ number: Int, index: Int) throws -> [AttemptRecord] {
        let statement = try db.cached(
            "SELECT number, started_at, finished_at, retry_at, failure FROM attempts WHERE job = ?1 ORDER BY number")
        defer { statement.reset() }
        try statement.bind(number, at: 1)
        var attempts: [AttemptRecord] = []
        while try statement.step() {
            guard let failure = Failure(JSON(trusted: statement.bytes(4)).value) else {
                throw StoreError.broken("a stored failure cannot be read")
            }
            attempts.append(
                AttemptRecord(
                    index: index, number: statement.integer(0), failure: failure, startedAt: statement.time(1),
                    finishedAt: statement.time(2), retryAt: statement.optionalTime(3)))
        }
        return attempts
    }

    private static func logs(_ db: Database, _ number: Int, index: Int) throws -> [JobLog] {
        let statement = try db.cached("SELECT attempt, dropped, lines FROM logs WHERE job = ?1 ORDER BY attempt")
        defer { statement.reset() }
        try statement.bind(number, at: 1)
        var logs: [JobLog] = []
        while try statement.step() {
            logs.append(
                JobLog(
                    index: index, attempt: statement.integer(0), lines: try StoredLog.decode(statement.bytes(2)),
                    dropped: statement.integer(1)))
        }
        return logs
    }
}
