import GRDB
import JobModel
import JobStore

/// Lists of batches, newest first. Every list walks an index, so that a page costs the same however many batches there are.
enum BatchQueries {
    static func page(_ db: Database, _ filter: BatchFilter, before: BatchID?, limit: Int) throws -> BatchPage {
        let limit = max(1, limit)
        let end = try before.map { try position(db, atOrBefore: $0) } ?? Int.max
        // One more than wanted shows whether there is a next page.
        var rows = try select(db, filter, below: end, limit: limit + 1)
        let hasNext = rows.count > limit
        if hasNext { rows.removeLast(rows.count - limit) }
        return BatchPage(batches: rows.map(\.record), next: hasNext ? rows.last?.record.id : nil)
    }

    /// The number below which all older batches lie. The batch itself may be gone.
    private static func position(_ db: Database, atOrBefore id: BatchID) throws -> Int {
        let statement = try db.cached("SELECT base, id = ?1 FROM batches WHERE id <= ?1 ORDER BY id DESC LIMIT 1")
        defer { statement.reset() }
        try statement.bind(id.ulid, at: 1)
        guard try statement.step() else { return 0 }
        return statement.integer(0) + (statement.integer(1) == 1 ? 0 : 1)
    }

    private static func select(_ db: Database, _ filter: BatchFilter, below end: Int, limit: Int) throws -> [BatchRow] {
        let phases = Set(filter.phases)
        if !phases.isEmpty && phases.isSubset(of: [.active, .cancelling]) {
            // The index of unfinished batches is ordered by priority first: a page of each, and the newest of them all.
            let rows = try UnfinishedQueries.priorities(db).flatMap { priority in
                try walk(
                    db, "INDEXED BY batches_unfinished", "phase < 2 AND priority = \(priority)", filter, below: end,
                    limit: limit)
            }
            return Array(rows.sorted { $0.base > $1.base }.prefix(limit))
        }
        if phases == [.cancelled] {
            return try walk(db, "INDEXED BY batches_cancelled", "phase = 3", filter, below: end, limit: limit)
        }
        return try walk(db, "", "TRUE", filter, below: end, limit: limit)
    }

    private static func walk(
        _ db: Database, _ index: String, _ condition: String, _ filter: BatchFilter, below end: Int, limit: Int
    ) throws -> [BatchRow] {
        let phases = filter.phases.map { String($0.stored) }.joined(separator: ", ")
        let statement = try db.cached(
            """
            SELECT \(BatchRow.columns) FROM batches \(index)
            WHERE base < ?1 AND \(condition)\(filter.handler == nil ? "" : " AND handler = ?3")
                \(phases.isEmpty ? "" : "AND phase IN (\(phases))")
            ORDER BY base DESC LIMIT ?2
            """)
        defer { statement.reset() }
        try statement.bind(end, at: 1)
        try statement.bind(limit, at: 2)
        if let handler = filter.handler { try statement.bind(handler, at: 3) }
        var rows: [BatchRow] = []
        while try statement.step() { rows.append(try BatchRow(statement)) }
        return rows
    }
}
