import JobModel
import JobStore

extension WriteSession {
    /// A queue whose settings are the usual ones needs no row.
    mutating func changeQueue(_ name: String, _ change: QueueChange) throws -> QueueRecord {
        let before = try storedQueue(name)
        let record = QueueRecord(name: name, settings: change.applied(to: before.settings))
        if record == before { return record }
        if record.settings == QueueSettings() {
            try sql.deleteQueue.bind(name, at: 1)
            try sql.deleteQueue.run()
        } else {
            try sql.writeQueue.bind(name, at: 1)
            try sql.writeQueue.bind(record.settings.priority, at: 2)
            try sql.writeQueue.bind(record.settings.concurrency, at: 3)
            try sql.writeQueue.bind(record.settings.isPaused ? 1 : 0, at: 4)
            try sql.writeQueue.run()
        }
        changes.append(.queueChanged(record))
        return record
    }

    func storedQueue(_ name: String) throws -> QueueRecord {
        defer { sql.selectQueue.reset() }
        try sql.selectQueue.bind(name, at: 1)
        return try sql.selectQueue.step() ? QueueRow.record(sql.selectQueue) : QueueRecord(name: name)
    }
}
