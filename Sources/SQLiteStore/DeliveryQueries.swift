import GRDB
import JobModel
import JobStore

/// The outbox.
enum DeliveryQueries {
    static func due(_ db: Database, at time: Timestamp, limit: Int) throws -> [Delivery] {
        let statement = try db.cached(
            """
            SELECT id, batch, event, url, secret, body, state, attempts, due_at, created_at, last_status, last_error
            FROM deliveries WHERE state = 0 AND due_at <= ?1 ORDER BY due_at, id LIMIT ?2
            """)
        defer { statement.reset() }
        try statement.bind(time, at: 1)
        try statement.bind(limit, at: 2)
        var deliveries: [Delivery] = []
        while try statement.step() {
            deliveries.append(
                Delivery(
                    id: DeliveryID(try statement.ulid(0)), batch: BatchID(try statement.ulid(1)),
                    event: statement.text(2), url: statement.text(3), secret: statement.optionalText(4),
                    body: statement.bytes(5), state: try Delivery.State(stored: statement.integer(6)),
                    attempts: statement.integer(7), dueAt: statement.time(8), createdAt: statement.time(9),
                    lastStatus: statement.optionalInteger(10), lastError: statement.optionalText(11)))
        }
        return deliveries
    }

    static func nextTime(_ db: Database, after time: Timestamp) throws -> Timestamp? {
        let statement = try db.cached("SELECT min(due_at) FROM deliveries WHERE state = 0 AND due_at > ?1")
        defer { statement.reset() }
        try statement.bind(time, at: 1)
        return try statement.step() ? statement.optionalTime(0) : nil
    }
}
