import JobModel
import JobStore

extension WriteSession {
    /// Observers get outcomes up to this size, so that nobody has to read what was just written.
    private static let handedOnBytes = 4096

    mutating func record(_ recording: Recording) throws {
        let hasOutcome = !recording.runs.isEmpty || !recording.attempts.isEmpty
        guard hasOutcome || !recording.counters.isEmpty || !recording.logs.isEmpty else { return }
        let batch = try unfinishedBatch(recording.batch)
        if !recording.counters.isEmpty { add(recording.counters, to: batch) }
        for log in recording.logs { try append(log, to: batch) }
        guard hasOutcome else { return }
        let isFirst = batch.progress.startedAt == nil && recording.attempts.isEmpty && batch.logBytes == 0
        // Attempts first: the last failed one of a job comes together with its outcome.
        for attempt in recording.attempts { try insert(attempt, of: batch) }
        for run in recording.runs { try insert(run, of: batch) }
        let isHandedOn = isFirst && recording.runs.reduce(0) { $0 + $1.body.count } <= WriteSession.handedOnBytes
        try settle(batch, at: recording.recordedAt, outcomes: isHandedOn ? recording.runs : [])
    }

    mutating func cancelPending(of id: BatchID, except running: [Range<Int>], at time: Timestamp) throws {
        let batch = try unfinishedBatch(id)
        var taken = try recordedRanges(of: batch)
        taken.append(contentsOf: running)
        taken.sort { $0.lowerBound < $1.lowerBound }
        let pending = RangeList.subtracting(taken, from: 0..<batch.total)
        if pending.isEmpty { return }
        for range in pending {
            let run = OutcomeRun(first: range.lowerBound, count: range.count, outcome: .cancelled, body: [])
            try insert(run, of: batch)
        }
        try settle(batch, at: time, outcomes: [])
    }

    // MARK: Rows

    private func insert(_ run: OutcomeRun, of batch: ActiveBatch) throws {
        let (range, isSound) = batch.checkedRange(first: run.first, count: run.count)
        guard isSound else {
            throw StoreError.conflict("batch \(batch.id) has no \(run.count) jobs from \(run.first) on")
        }
        guard try !anyOutcome(in: range, of: batch) else {
            throw StoreError.conflict("a job of \(range) in batch \(batch.id) has an outcome already")
        }
        if run.count == batch.total && run.body.count <= WriteSession.maximumInline {
            batch.onlyBody = run.body
        } else {
            try sql.insertResult.bind(batch.base + run.first, at: 1)
            try sql.insertResult.bind(run.count, at: 2)
            try sql.insertResult.bind(run.outcome.stored, at: 3)
            try sql.insertResult.run(binding: run.body, at: 4)
        }
        batch.progress.counts[run.outcome] += run.count
        batch.frontier = max(batch.frontier, range.upperBound)
    }

    private func insert(_ attempt: AttemptRecord, of batch: ActiveBatch) throws {
        let (range, isSound) = batch.checkedRange(first: attempt.index, count: 1)
        guard isSound, try !anyOutcome(in: range, of: batch) else {
            throw StoreError.conflict("job \(attempt.index) of batch \(batch.id) is not open for attempts")
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
        if batch.onlyBody != nil { return true }
        let end = try lastResultEnd(in: batch.base..<batch.base + range.upperBound)
        return end.map { $0 > batch.base + range.lowerBound } ?? false
    }

    private func recordedRanges(of batch: ActiveBatch) throws -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        if batch.progress.counts.finished == 0 { return ranges }
        let statement = sql.resultRanges
        defer { statement.reset() }
        try statement.bind(batch.base, at: 1)
        try statement.bind(batch.base + batch.total, at: 2)
        while try statement.step() {
            let first = statement.integer(0) - batch.base
            ranges.append(first..<first + statement.integer(1))
        }
        return ranges
    }

    // MARK: The end of a batch

    /// To be called after rows of a batch were written: counts them, or ends the batch.
    private mutating func settle(_ batch: ActiveBatch, at time: Timestamp, outcomes: [OutcomeRun]) throws {
        if batch.progress.startedAt == nil { batch.progress.startedAt = time }
        if batch.progress.counts.finished == batch.total {
            try finish(batch, at: time, outcomes: outcomes)
        } else {
            postponeWriting(batch)
        }
    }

    private mutating func finish(_ batch: ActiveBatch, at time: Timestamp, outcomes: [OutcomeRun]) throws {
        batch.progress.phase = batch.progress.phase == .cancelling ? .cancelled : .completed
        batch.progress.finishedAt = time
        try writeProgress(of: batch)
        try leaveBlock(of: batch)
        active.remove(batch.id)
        let record = batch.record
        changes.append(.finished(record, outcomes: outcomes))
        if let callback = batch.options.callback { try insertDelivery(to: callback, for: batch, at: time) }
    }
}

extension ActiveBatch {
    /// The range of jobs, and whether it is not empty and inside the batch.
    func checkedRange(first: Int, count: Int) -> (Range<Int>, Bool) {
        guard first >= 0, count > 0, first <= total, count <= total - first else { return (0..<0, false) }
        return (first..<first + count, true)
    }
}
