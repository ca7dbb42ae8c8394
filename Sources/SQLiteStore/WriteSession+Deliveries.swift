import GRDB
import JSONBytes
import JobModel
import JobStore

extension WriteSession {
    /// Puts the event that the client of a finished batch asked for into the outbox.
    mutating func insertDelivery(to callback: Callback, for batch: ActiveBatch, at time: Timestamp) throws {
        let record = batch.record
        guard callback.events.contains(BatchEvent.completed) else { return }
        var random = SystemRandomNumberGenerator()
        let id = deliveryIDs.next(milliseconds: UInt64(clamping: time.microseconds / 1000), using: &random)
        let statement = sql.insertDelivery
        try statement.bind(id, at: 1)
        try statement.bind(record.id.ulid, at: 2)
        try statement.bind(BatchEvent.completed, at: 3)
        try statement.bind(callback.url, at: 4)
        try statement.bind(callback.secret, at: 5)
        try statement.bind(BatchEvent.completedBody(for: record, failures: try failures(of: batch), at: time), at: 6)
        try statement.bind(Delivery.State.pending.stored, at: 7)
        try statement.bind(0, at: 8)
        try statement.bind(time, at: 9)
        try statement.bind(time, at: 10)
        try statement.run()
        changes.append(.deliveriesAdded)
    }

    /// The failed jobs that the event tells of.
    private func failures(of batch: ActiveBatch) throws -> [FailedJob] {
        guard batch.progress.counts.failed > 0 else { return [] }
        var failures = FirstFailures()
        if let body = batch.onlyBody {
            failures.add(body, from: 0)
            return failures.jobs
        }
        let statement = sql.failedResults
        defer { statement.reset() }
        try statement.bind(batch.base, at: 1)
        try statement.bind(batch.base + batch.total, at: 2)
        while !failures.isFull, try statement.step() {
            failures.add(statement.bytes(1), from: statement.integer(0) - batch.base)
        }
        return failures.jobs
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

/// Gathers failed jobs until there are as many as an event tells of.
private struct FirstFailures {
    private(set) var jobs: [FailedJob] = []
    private var bytes = 0

    var isFull: Bool { jobs.count >= BatchEvent.maximumFailures || bytes >= BatchEvent.maximumErrorBytes }

    /// - Parameter errors: JSON objects with commas between them, of consecutive jobs.
    mutating func add(_ errors: [UInt8], from first: Int) {
        var index = first
        errors.withUnsafeBytes { errors in
            CommaSeparated.forEach(in: errors) { error in
                let isRoomLeft = jobs.isEmpty || bytes + error.count <= BatchEvent.maximumErrorBytes
                bytes += error.count
                if isRoomLeft { jobs.append(FailedJob(index: index, error: Array(error))) }
                index += 1
                return !isFull
            }
        }
    }
}
