import GRDB
import JobModel
import JobStore

extension WriteSession {
    /// Puts the events that the client of a finished batch asked for into the outbox.
    func insertDeliveries(for record: BatchRecord, at time: Timestamp) throws {
        guard let callback = record.options.callback, callback.events.contains(BatchEvent.completed) else { return }
        var random = SystemRandomNumberGenerator()
        let id = deliveryIDs.next(milliseconds: UInt64(clamping: time.microseconds / 1000), using: &random)
        let statement = sql.insertDelivery
        try statement.bind(id, at: 1)
        try statement.bind(record.id.ulid, at: 2)
        try statement.bind(BatchEvent.completed, at: 3)
        try statement.bind(callback.url, at: 4)
        try statement.bind(callback.secret, at: 5)
        try statement.bind(BatchEvent.completedBody(for: record, at: time), at: 6)
        try statement.bind(Delivery.State.pending.stored, at: 7)
        try statement.bind(0, at: 8)
        try statement.bind(time, at: 9)
        try statement.bind(time, at: 10)
        try statement.run()
        changes.append(.deliveriesAdded)
    }

    func recordDelivery(_ attempt: DeliveryAttempt) throws {
        let (state, dueAt): (Delivery.State, Timestamp?) =
            switch attempt.result {
            case .delivered: (.delivered, nil)
            case .retry(let time): (.pending, time)
            case .failed: (.failed, nil)
            }
        let statement = sql.updateDelivery
        try statement.bind(attempt.id.ulid, at: 1)
        try statement.bind(state.stored, at: 2)
        try statement.bind(dueAt, at: 3)
        try statement.bind(attempt.status, at: 4)
        try statement.bind(attempt.error, at: 5)
        try statement.run()
        guard db.changesCount == 1 else { throw StoreError.conflict("delivery \(attempt.id) is not pending") }
    }
}
