import JobModel
import JobStore

extension WriteSession {
    /// Observers get the payloads of batches up to this size, so that nobody has to read what was just written.
    private static let handedOnBytes = 4096

    func submit(_ batch: NewBatch) throws -> BatchRecord {
        guard batch.total > 0 else { throw StoreError.conflict("batch \(batch.id) has no jobs") }
        let record = BatchRecord(
            id: batch.id, handler: batch.handler, options: batch.options, total: batch.total,
            createdAt: batch.createdAt)
        let base = nextBase
        try BatchRow(base: base, record: record).bind(to: sql.insertBatch)
        try sql.insertBatch.run()
        try insertSegments(of: batch, base: base)
        nextBase += batch.total
        active.insert(ActiveBatch(base: base, record: record, frontier: 0))
        let size = batch.segments.reduce(0) { $0 + $1.input.count }
        changes.append(.submitted(record, inputs: size <= WriteSession.handedOnBytes ? batch.segments : []))
        return record
    }

    private func insertSegments(of batch: NewBatch, base: Int) throws {
        var expected = 0
        for segment in batch.segments {
            guard segment.first == expected, segment.count > 0 else {
                throw StoreError.conflict("the segments of batch \(batch.id) leave a gap at job \(expected)")
            }
            expected += segment.count
            try sql.insertSegment.bind(base + segment.first, at: 1)
            try sql.insertSegment.bind(segment.count, at: 2)
            try sql.insertSegment.run(binding: segment.input, at: 3)
        }
    }

    func requestCancel(_ id: BatchID) throws -> BatchRecord? {
        let batch: ActiveBatch
        if let known = active.find(id) {
            batch = known
        } else {
            guard let row = try storedBatch(id) else { return nil }
            if row.record.isFinished { return row.record }
            batch = try remember(row)
        }
        if batch.record.phase == .active {
            batch.record.phase = .cancelling
            try sql.updatePhase.bind(batch.base, at: 1)
            try sql.updatePhase.bind(batch.record.phase.stored, at: 2)
            try sql.updatePhase.run()
            changes.append(.cancelRequested(id))
        }
        return batch.record
    }
}
