import JobModel
import JobStore

extension WriteSession {
    func record(_ recording: Recording) throws {
        if recording.runs.isEmpty && recording.attempts.isEmpty { return }
        let batch = try unfinishedBatch(recording.batch)
        // Attempts first: the last failed one of a job comes together with its outcome.
        for attempt in recording.attempts { try insert(attempt, of: batch) }
        for run in recording.runs { try insert(run, of: batch) }
        try settle(batch, at: recording.recordedAt)
    }

    func cancelPending(of id: BatchID, except running: [Range<Int>], at time: Timestamp) throws {
        let batch = try unfinishedBatch(id)
        var taken = try recordedRanges(of: batch)
        taken.append(contentsOf: running)
        taken.sort { $0.lowerBound < $1.lowerBound }
        let pending = RangeList.subtracting(taken, from: 0..<batch.record.total)
        if pending.isEmpty { return }
        for range in pending {
            let run = OutcomeRun(first: range.lowerBound, count: range.count, outcome: .cancelled, body: [])
            try insert(run, of: batch)
        }
        try settle(batch, at: time)
    }

    // MARK: Rows

    private func insert(_ run: OutcomeRun, of batch: ActiveBatch) throws {
        let (range, isSound) = batch.checkedRange(first: run.first, count: run.count)
        guard isSound else {
            throw StoreError.conflict("batch \(batch.record.id) has no \(run.count) jobs from \(run.first) on")
        }
        guard try !anyOutcome(in: range, of: batch) else {
            throw StoreError.conflict("a job of \(range) in batch \(batch.record.id) has an outcome already")
        }
        try sql.insertResult.bind(batch.base + run.first, at: 1)
        try sql.insertResult.bind(run.count, at: 2)
        try sql.insertResult.bind(run.outcome.stored, at: 3)
        try sql.insertResult.run(binding: run.body, at: 4)
        batch.record.counts[run.outcome] += run.count
        batch.frontier = max(batch.frontier, range.upperBound)
    }

    private func insert(_ attempt: AttemptRecord, of batch: ActiveBatch) throws {
        let (range, isSound) = batch.checkedRange(first: attempt.index, count: 1)
        guard isSound, try !anyOutcome(in: range, of: batch) else {
            throw StoreError.conflict("job \(attempt.index) of batch \(batch.record.id) is not open for attempts")
        }
        try sql.insertAttempt.bind(batch.base + attempt.index, at: 1)
        try sql.insertAttempt.bind(attempt.number, at: 2)
        try sql.insertAttempt.bind(attempt.startedAt, at: 3)
        try sql.insertAttempt.bind(attempt.finishedAt, at: 4)
        try sql.insertAttempt.bind(attempt.retryAt, at: 5)
        try sql.insertAttempt.run(binding: attempt.failure.json, at: 6)
    }

    /// Rows of results do not overlap, so only the last one that begins before the range's end can reach into it.
    private func anyOutcome(in range: Range<Int>, of batch: ActiveBatch) throws -> Bool {
        guard range.lowerBound < batch.frontier else { return false }
        let end = try lastResultEnd(in: batch.base..<batch.base + range.upperBound)
        return end.map { $0 > batch.base + range.lowerBound } ?? false
    }

    private func recordedRanges(of batch: ActiveBatch) throws -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        if batch.record.counts.finished == 0 { return ranges }
        let statement = sql.resultRanges
        defer { statement.reset() }
        try statement.bind(batch.base, at: 1)
        try statement.bind(batch.base + batch.record.total, at: 2)
        while try statement.step() {
            let first = statement.integer(0) - batch.base
            ranges.append(first..<first + statement.integer(1))
        }
        return ranges
    }

    // MARK: The end of a batch

    /// To be called after rows of a batch were written: counts them, or ends the batch.
    private func settle(_ batch: ActiveBatch, at time: Timestamp) throws {
        if batch.record.startedAt == nil { batch.record.startedAt = time }
        if batch.record.counts.finished == batch.record.total {
            try finish(batch, at: time)
        } else {
            postponeWriting(batch)
        }
    }

    private func finish(_ batch: ActiveBatch, at time: Timestamp) throws {
        batch.record.phase = batch.record.phase == .cancelling ? .cancelled : .completed
        batch.record.finishedAt = time
        batch.needsWriting = false
        try bindCounts(of: batch, to: sql.finish)
        try sql.finish.bind(batch.record.phase.stored, at: 7)
        try sql.finish.bind(time, at: 8)
        try sql.finish.run()
        active.remove(batch.record.id)
        changes.append(.finished(batch.record))
        try insertDeliveries(for: batch.record, at: time)
    }
}

extension ActiveBatch {
    /// The range of jobs, and whether it is not empty and inside the batch.
    fileprivate func checkedRange(first: Int, count: Int) -> (Range<Int>, Bool) {
        guard first >= 0, count > 0, first <= record.total, count <= record.total - first else { return (0..<0, false) }
        return (first..<first + count, true)
    }
}
