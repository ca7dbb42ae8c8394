import GRDB
import JobModel
import JobStore

/// Lists of batches, newest first.
///
/// Every list walks through the table of batches in the order of submission, or only through the blocks where there are batches
/// of the kind that is wanted most. A walk passes by rows that the filter does not want, and ends when it has looked at
/// `maximumExamined`: what a page costs is bounded, however many batches there are, and a page may be short, or empty, and yet
/// have a next one.
enum BatchQueries {
    /// Rows that one page looks at; some milliseconds.
    static let maximumExamined = 5000

    static func page(
        _ db: Database, _ filter: BatchFilter, before: BatchID?, limit: Int, examining bound: Int = maximumExamined
    ) throws -> BatchPage {
        let limit = max(1, limit)
        let end = try before.map { try position(db, atOrBefore: $0) } ?? Int.max
        // One more than wanted shows whether there is a next page.
        let walk = try walk(db, filter, below: end, limit: limit + 1, examining: max(bound, limit + 1))
        if walk.batches.count > limit {
            let batches = Array(walk.batches[..<limit])
            return BatchPage(batches: batches, next: batches.last?.id)
        }
        return BatchPage(batches: walk.batches, next: walk.stop)
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
        var batches: [BatchRecord] = []
        /// The last batch it looked at, unless there is none behind it.
        var stop: BatchID?
    }

    private static func walk(_ db: Database, _ filter: BatchFilter, below end: Int, limit: Int, examining bound: Int)
        throws -> Walk
    {
        let statement = try selection(db, filter)
        let path = Path(filter)
        var walk = Walk()
        var examined = 0
        var last: BatchID?
        var next = try path.first(db, below: end)
        while let jobs = next {
            defer { statement.reset() }
            try statement.bind(jobs.lowerBound, at: 1)
            try statement.bind(jobs.upperBound, at: 2)
            while try statement.step() {
                if walk.batches.count == limit || examined == bound {
                    walk.stop = last
                    return walk
                }
                examined += 1
                last = BatchID(try statement.ulid(1))
                if statement.integer(BatchRow.columnCount) == 1 {
                    walk.batches.append(try BatchRow(statement).record)
                }
            }
            next = try path.next(db, after: jobs)
        }
        return walk
    }

    /// Batches between the numbers ?1 and ?2, and behind their columns whether they are wanted.
    private static func selection(_ db: Database, _ filter: BatchFilter) throws -> SQLStatement {
        let phases = filter.phases.map { String($0.stored) }.joined(separator: ", ")
        let wanted = phases.isEmpty ? "" : " AND coalesce(p.phase, 0) IN (\(phases))"
        let statement = try db.cached(
            """
            SELECT \(BatchRow.columns), (?3 IS NULL OR b.handler = ?3) AND (?4 IS NULL OR coalesce(b.queue, ?5) = ?4)\(wanted)
            FROM \(BatchRow.tables)
            WHERE b.base >= ?1 AND b.base < ?2
            ORDER BY b.base DESC
            """)
        try statement.bind(filter.handler, at: 3)
        try statement.bind(filter.queue, at: 4)
        try statement.bind(QueueSettings.defaultName, at: 5)
        return statement
    }

    /// Where a walk looks for what a filter wants.
    private enum Path {
        case everywhere, unfinished, cancelled
        case handler(String)
        case queue(String)

        init(_ filter: BatchFilter) {
            let phases = Set(filter.phases)
            if !phases.isEmpty && phases.isSubset(of: [.active, .cancelling]) {
                self = .unfinished
            } else if phases == [.cancelled] {
                self = .cancelled
            } else if let queue = filter.queue, queue != QueueSettings.defaultName {
                self = .queue(queue)
            } else if let handler = filter.handler {
                self = .handler(handler)
            } else {
                self = .everywhere
            }
        }

        /// The highest job numbers to look at.
        func first(_ db: Database, below end: Int) throws -> Range<Int>? {
            guard end > 0 else { return nil }
            if case .everywhere = self { return 0..<end }
            return try block(db, below: Block.of(end - 1) + 1).map { $0.lowerBound..<min(end, $0.upperBound) }
        }

        func next(_ db: Database, after jobs: Range<Int>) throws -> Range<Int>? {
            if case .everywhere = self { return nil }
            return try block(db, below: Block.of(jobs.lowerBound))
        }

        private func block(_ db: Database, below block: Int) throws -> Range<Int>? {
            let statement: SQLStatement
            switch self {
            case .everywhere:
                return nil
            case .unfinished:
                statement = try db.cached("SELECT max(block) FROM unfinished_blocks WHERE block < ?1")
            case .cancelled:
                statement = try db.cached("SELECT max(block) FROM cancelled_blocks WHERE block < ?1")
            case .handler(let handler):
                statement = try db.cached("SELECT max(block) FROM handler_blocks WHERE handler = ?2 AND block < ?1")
                try statement.bind(handler, at: 2)
            case .queue(let name):
                statement = try db.cached("SELECT max(block) FROM queue_blocks WHERE queue = ?2 AND block < ?1")
                try statement.bind(name, at: 2)
            }
            defer { statement.reset() }
            try statement.bind(block, at: 1)
            return try statement.step() ? statement.optionalInteger(0).map(Block.jobs) : nil
        }
    }
}
