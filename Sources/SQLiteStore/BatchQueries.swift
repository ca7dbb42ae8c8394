import GRDB
import JobModel
import JobStore

/// Lists of batches, newest first.
///
/// Every list walks an index, or the table, in the order of submission. No index knows every filter: an index of all phases
/// would be written twice for each batch, in the one place where rows a second count. So a walk passes by rows that the
/// filter does not want, and ends when it has looked at `maximumExamined`: what a page costs is bounded, however many batches
/// there are, and a page may be short, or empty, and yet have a next one.
enum BatchQueries {
    /// Rows that one page looks at; some milliseconds.
    static let maximumExamined = 5000

    static func page(
        _ db: Database, _ filter: BatchFilter, before: BatchID?, limit: Int, examining bound: Int = maximumExamined
    ) throws -> BatchPage {
        let limit = max(1, limit)
        let end = try before.map { try position(db, atOrBefore: $0) } ?? Int.max
        // One more than wanted shows whether there is a next page.
        let walks = try walks(db, filter, below: end, limit: limit + 1, examining: max(bound, limit + 1))
        // Below the place where the first of the walks gave up, nothing is known to be complete.
        let stop = walks.compactMap(\.stop).max { $0.base < $1.base }
        var rows = walks.flatMap(\.rows).filter { $0.base >= stop?.base ?? 0 }.sorted { $0.base > $1.base }
        if rows.count > limit {
            rows.removeLast(rows.count - limit)
            return BatchPage(batches: rows.map(\.record), next: rows.last?.record.id)
        }
        return BatchPage(batches: rows.map(\.record), next: stop?.id)
    }

    /// The number below which all older batches lie. The batch itself may be gone.
    private static func position(_ db: Database, atOrBefore id: BatchID) throws -> Int {
        let statement = try db.cached("SELECT base, id = ?1 FROM batches WHERE id <= ?1 ORDER BY id DESC LIMIT 1")
        defer { statement.reset() }
        try statement.bind(id.ulid, at: 1)
        guard try statement.step() else { return 0 }
        return statement.integer(0) + (statement.integer(1) == 1 ? 0 : 1)
    }

    // MARK: Walks

    private struct Walk {
        var rows: [BatchRow] = []
        /// The last row it looked at, unless there is none behind it.
        var stop: (base: Int, id: BatchID)?
    }

    /// What a walk goes along: an index, and the condition that picks its part, of which ?3 is the value.
    private enum Path: String {
        case all = "WHERE base < ?1 AND ?3 IS NULL"
        case handler = "INDEXED BY batches_handler WHERE base < ?1 AND handler = ?3"
        case unfinished = "INDEXED BY batches_unfinished WHERE base < ?1 AND phase < 2 AND priority = ?3"
        case cancelled = "INDEXED BY batches_cancelled WHERE base < ?1 AND phase = 3 AND ?3 IS NULL"
    }

    private static func walks(
        _ db: Database, _ filter: BatchFilter, below end: Int, limit: Int, examining bound: Int
    ) throws -> [Walk] {
        func walk(_ path: Path, bound: Int = bound, bind: (SQLStatement) throws -> Void) throws -> Walk {
            try self.walk(db, path, filter, below: end, limit: limit, examining: bound, bindValue: bind)
        }
        let phases = Set(filter.phases)
        if !phases.isEmpty && phases.isSubset(of: [.active, .cancelling]) {
            // The index of unfinished batches is ordered by priority first: a walk through each, and the newest of them all.
            let priorities = try UnfinishedQueries.priorities(db)
            let share = max(limit, bound / max(1, priorities.count))
            return try priorities.map { priority in
                try walk(.unfinished, bound: share) { try $0.bind(priority, at: 3) }
            }
        }
        if phases == [.cancelled] { return [try walk(.cancelled) { try $0.bindNull(at: 3) }] }
        if let handler = filter.handler { return [try walk(.handler) { try $0.bind(handler, at: 3) }] }
        return [try walk(.all) { try $0.bindNull(at: 3) }]
    }

    private static func walk(
        _ db: Database, _ path: Path, _ filter: BatchFilter, below end: Int, limit: Int, examining bound: Int,
        bindValue: (SQLStatement) throws -> Void
    ) throws -> Walk {
        let phases = filter.phases.map { String($0.stored) }.joined(separator: ", ")
        let statement = try db.cached(
            """
            SELECT \(BatchRow.columns), (?2 IS NULL OR handler = ?2)\(phases.isEmpty ? "" : " AND phase IN (\(phases))")
            FROM batches \(path.rawValue)
            ORDER BY base DESC
            """)
        defer { statement.reset() }
        try statement.bind(end, at: 1)
        try statement.bind(filter.handler, at: 2)
        try bindValue(statement)
        var walk = Walk()
        var examined = 0
        while try statement.step() {
            examined += 1
            if statement.integer(BatchRow.columnCount) == 1 { walk.rows.append(try BatchRow(statement)) }
            if walk.rows.count == limit || examined == bound {
                let last = (base: statement.integer(0), id: BatchID(try statement.ulid(1)))
                if try statement.step() { walk.stop = last }
                break
            }
        }
        return walk
    }
}
