import GRDB
import JobModel
import JobStore

/// What is left to do.
enum UnfinishedQueries {
    /// Jumps from one lane to the next.
    static func lanes(_ db: Database) throws -> [WorkLane] {
        let statement = try db.cached(
            """
            SELECT queue, priority FROM unfinished_blocks WHERE (queue, priority) > (?1, ?2)
            ORDER BY queue, priority LIMIT 1
            """)
        defer { statement.reset() }
        var lanes: [WorkLane] = []
        var last = WorkLane(queue: "", priority: Int.min)
        while true {
            try statement.bind(last.queue, at: 1)
            try statement.bind(last.priority, at: 2)
            guard try statement.step() else { break }
            last = WorkLane(queue: statement.text(0), priority: statement.integer(1))
            statement.reset()
            // All of the last block may be finished.
            if try !rows(db, last, after: nil, limit: 1).isEmpty { lanes.append(last) }
        }
        return lanes.sorted { ($1.priority, $0.queue) < ($0.priority, $1.queue) }
    }

    static func batches(_ db: Database, _ lane: WorkLane, after: BatchID?, limit: Int) throws -> [UnfinishedBatch] {
        try rows(db, lane, after: after, limit: limit).map { try unfinished(db, $0) }
    }

    private static func rows(_ db: Database, _ lane: WorkLane, after: BatchID?, limit: Int) throws -> [BatchRow] {
        var start = try after.map { try position(db, atOrBefore: $0) + 1 } ?? 0
        let blocks = try db.cached(
            "SELECT block FROM unfinished_blocks WHERE queue = ?1 AND priority = ?2 AND block >= ?3 ORDER BY block")
        defer { blocks.reset() }
        try blocks.bind(lane.queue, at: 1)
        try blocks.bind(lane.priority, at: 2)
        try blocks.bind(Block.of(start), at: 3)
        var rows: [BatchRow] = []
        while rows.count < limit, try blocks.step() {
            let jobs = Block.jobs(blocks.integer(0))
            start = max(start, jobs.lowerBound)
            try append(db, from: start, below: jobs.upperBound, lane, limit: limit, to: &rows)
        }
        return rows
    }

    private static func append(
        _ db: Database, from start: Int, below end: Int, _ lane: WorkLane, limit: Int, to rows: inout [BatchRow]
    ) throws {
        let statement = try db.cached(
            """
            SELECT \(BatchRow.columns) FROM \(BatchRow.tables)
            WHERE b.base >= ?1 AND b.base < ?2 AND b.priority = ?3 AND b.queue IS ?4 AND coalesce(p.phase, 0) < 2
            ORDER BY b.base
            """)
        defer { statement.reset() }
        try statement.bind(start, at: 1)
        try statement.bind(end, at: 2)
        try statement.bind(lane.priority, at: 3)
        try statement.bind(QueueSettings.stored(lane.queue), at: 4)
        while rows.count < limit, try statement.step() { rows.append(try BatchRow(statement)) }
    }

    /// Of the batch, or of the last one before it if it is gone.
    private static func position(_ db: Database, atOrBefore id: BatchID) throws -> Int {
        let statement = try db.cached("SELECT base FROM batches WHERE id <= ?1 ORDER BY id DESC LIMIT 1")
        defer { statement.reset() }
        try statement.bind(id.ulid, at: 1)
        return try statement.step() ? statement.integer(0) : -1
    }

    // MARK: One batch

    private static func unfinished(_ db: Database, _ row: BatchRow) throws -> UnfinishedBatch {
        // Nothing was ever recorded of most of them.
        guard row.record.startedAt != nil else {
            return UnfinishedBatch(record: row.record, remaining: [0..<row.record.total])
        }
        let open = RangeList.subtracting(try recorded(db, row.jobs), from: row.jobs)
        let retries = try open.flatMap { try pendingRetries(db, $0) }
        let tried = retries.lazy.map { $0.index..<$0.index + 1 }
        // A pass over both lists: each open range takes the retries that lie in it.
        var remaining: [Range<Int>] = []
        var next = tried.startIndex
        for range in open {
            let start = next
            while next < tried.endIndex, tried[next].lowerBound < range.upperBound { next += 1 }
            remaining.append(contentsOf: RangeList.subtracting(tried[start..<next], from: range))
        }
        return UnfinishedBatch(
            record: row.record,
            remaining: remaining.map { $0.lowerBound - row.base..<$0.upperBound - row.base },
            retries: retries.map { retry in
                var retry = retry
                retry.index -= row.base
                return retry
            })
    }

    /// The numbers of jobs with an outcome. Reads no bodies.
    private static func recorded(_ db: Database, _ jobs: Range<Int>) throws -> [Range<Int>] {
        let statement = try db.cached("SELECT job, count FROM results WHERE job >= ?1 AND job < ?2 ORDER BY job")
        defer { statement.reset() }
        try statement.bind(jobs.lowerBound, at: 1)
        try statement.bind(jobs.upperBound, at: 2)
        var ranges: [Range<Int>] = []
        while try statement.step() {
            let first = statement.integer(0)
            let end = first + statement.integer(1)
            if let last = ranges.last, last.upperBound == first {
                ranges[ranges.count - 1] = last.lowerBound..<end
            } else {
                ranges.append(first..<end)
            }
        }
        return ranges
    }

    /// Jobs of an open range that were tried before; `index` is the job's number.
    private static func pendingRetries(_ db: Database, _ open: Range<Int>) throws -> [PendingRetry] {
        let statement = try db.cached(
            """
            SELECT job, coalesce(retry_at, finished_at) FROM attempts WHERE job >= ?1 AND job < ?2
            ORDER BY job, number
            """)
        defer { statement.reset() }
        try statement.bind(open.lowerBound, at: 1)
        try statement.bind(open.upperBound, at: 2)
        var retries: [PendingRetry] = []
        while try statement.step() {
            let job = statement.integer(0)
            if let last = retries.last, last.index == job {
                retries[retries.count - 1].failedAttempts = last.failedAttempts + 1
                retries[retries.count - 1].dueAt = statement.time(1)
            } else {
                retries.append(PendingRetry(index: job, failedAttempts: 1, dueAt: statement.time(1)))
            }
        }
        return retries
    }
}
