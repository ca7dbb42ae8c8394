import JobModel
import JobStore

extension WriteSession {
    /// Observers get the first payloads up to this weight, so that nobody has to read what was just written. Nothing is copied for that.
    private static let handedOnInputs = 8 << 20

    mutating func submit(_ batch: NewBatch) throws -> BatchRecord {
        guard batch.total > 0 else { throw StoreError.conflict("batch \(batch.id) has no jobs") }
        let record = BatchRecord(
            id: batch.id, handler: batch.handler, options: batch.options, total: batch.total,
            sharedBytes: batch.shared?.count, createdAt: batch.createdAt)
        let base = nextBase
        let block = try enterBlock(base: base, handler: batch.handler, lane: WorkLane(batch.options))
        let row = BatchRow(base: base, record: record)
        try row.bindConstants(to: sql.insertBatch)
        if batch.segments.count == 1, batch.segments[0].input.count <= WriteSession.maximumInline {
            guard batch.segments[0].first == 0 else { throw gap(in: batch, at: 0) }
            try sql.insertBatch.run(binding: batch.segments[0].input, at: BatchRow.inputParameter)
        } else {
            try sql.insertBatch.run()
            try insertSegments(of: batch, base: base)
        }
        if let shared = batch.shared {
            try sql.insertSharedValue.bind(base, at: 1)
            try sql.insertSharedValue.run(binding: shared, at: 2)
        }
        nextBase += batch.total
        active.insert(ActiveBatch(row, frontier: 0, block: block))
        changes.append(.submitted(record, inputs: batch.segments.first(weighing: WriteSession.handedOnInputs)))
        return record
    }

    private func insertSegments(of batch: NewBatch, base: Int) throws {
        var expected = 0
        for segment in batch.segments {
            guard segment.first == expected, segment.count > 0 else { throw gap(in: batch, at: expected) }
            expected += segment.count
            try sql.insertSegment.bind(base + segment.first, at: 1)
            try sql.insertSegment.bind(segment.count, at: 2)
            try sql.insertSegment.run(binding: segment.input, at: 3)
        }
    }

    private func gap(in batch: NewBatch, at index: Int) -> StoreError {
        .conflict("the segments of batch \(batch.id) leave a gap at job \(index)")
    }

    mutating func requestCancel(_ id: BatchID) throws -> BatchRecord? {
        let batch: ActiveBatch
        if let known = active.find(id) {
            batch = known
        } else {
            guard let row = try storedBatch(id) else { return nil }
            if row.record.isFinished { return row.record }
            batch = try remember(row)
        }
        if batch.progress.phase == .active {
            batch.progress.phase = .cancelling
            postponeWriting(batch)
            changes.append(.cancelRequested(id))
        }
        return batch.record
    }
}
