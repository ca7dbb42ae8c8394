import JobModel
import JobStore

// What running jobs say of themselves.

extension WriteSession {
    /// Sums stop at the largest and the smallest number. A batch has at most `CounterDelta.namesPerBatch` counters: those that came
    /// first.
    mutating func add(_ deltas: [CounterDelta], to batch: ActiveBatch) {
        for delta in deltas {
            let sum = batch.counters[delta.name]
            guard sum != nil || batch.counters.count < CounterDelta.namesPerBatch else { continue }
            batch.counters[delta.name] = (sum ?? 0).addingSaturating(delta.amount)
        }
        postponeWriting(batch)
    }

    /// Keeps the first lines, as far as there is room for the job's and the batch's. The first line that finds none uses up what is
    /// left, so that no later one is kept.
    mutating func append(_ log: JobLog, to batch: ActiveBatch) throws {
        let (range, isSound) = batch.checkedRange(first: log.index, count: 1)
        guard isSound, log.attempt > 0 else {
            throw StoreError.conflict("batch \(batch.id) has no job \(log.index) with an attempt \(log.attempt)")
        }
        let number = batch.base + range.lowerBound
        let before = try logBytes(ofJob: number)
        var (job, total) = (before, batch.logBytes)
        var kept = 0
        for line in log.lines {
            // An empty line takes room too: there may be any number of them.
            let size = max(1, line.text.utf8.count)
            if job + size > JobLog.bytesPerJob {
                job = JobLog.bytesPerJob
                break
            }
            if total + size > JobLog.bytesPerBatch {
                total = JobLog.bytesPerBatch
                break
            }
            job += size
            total += size
            kept += 1
        }
        try sql.appendLog.bind(number, at: 1)
        try sql.appendLog.bind(log.attempt, at: 2)
        try sql.appendLog.bind(job - before, at: 3)
        try sql.appendLog.bind(log.dropped + log.lines.count - kept, at: 4)
        try sql.appendLog.run(binding: StoredLog.encode(log.lines.prefix(kept)), at: 5)
        batch.logBytes = total
        postponeWriting(batch)
    }

    private func logBytes(ofJob number: Int) throws -> Int {
        defer { sql.jobLogBytes.reset() }
        try sql.jobLogBytes.bind(number, at: 1)
        return try sql.jobLogBytes.step() ? sql.jobLogBytes.integer(0) : 0
    }
}

extension Int64 {
    fileprivate func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}
