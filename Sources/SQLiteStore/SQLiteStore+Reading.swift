package import JobModel
package import JobStore

extension SQLiteStore: BatchReading {
    package func batch(_ id: BatchID) throws(StoreError) -> BatchRecord? {
        try readers.read { db in try db.batchRow(id)?.record }
    }

    package func batches(_ filter: BatchFilter, before: BatchID?, limit: Int) throws(StoreError) -> BatchPage {
        try readers.snapshot { db in try BatchQueries.page(db, filter, before: before, limit: limit) }
    }

    package func job(_ id: JobID) throws(StoreError) -> JobRecord? {
        try readers.snapshot { db in try WorkQueries.job(db, id) }
    }

    package func results(of batch: BatchID, from first: Int, maximumBytes: Int) throws(StoreError) -> [OutcomeRun] {
        try readers.read { db in try WorkQueries.results(db, of: batch, from: first, maximumBytes: maximumBytes) }
    }

    package func failedIndices(of batch: BatchID, limit: Int) throws(StoreError) -> [Int] {
        try readers.snapshot { db in try WorkQueries.failedIndices(db, of: batch, limit: limit) }
    }
}

extension SQLiteStore: WorkReading {
    package func queueSettings() throws(StoreError) -> [QueueRecord] {
        try readers.read { db in try QueueQueries.settings(db) }
    }

    package func unfinishedLanes() throws(StoreError) -> [WorkLane] {
        try readers.snapshot { db in try UnfinishedQueries.lanes(db) }
    }

    package func unfinishedBatches(
        in lane: WorkLane, after: BatchID?, limit: Int
    ) throws(StoreError) -> [UnfinishedBatch] {
        try readers.snapshot { db in try UnfinishedQueries.batches(db, lane, after: after, limit: limit) }
    }

    package func segments(of batch: BatchID, covering range: Range<Int>, maximumBytes: Int) throws(StoreError)
        -> [Segment]
    {
        try readers.read { db in
            try WorkQueries.segments(db, of: batch, covering: range, maximumBytes: maximumBytes)
        }
    }

    package func sharedValue(of batch: BatchID) throws(StoreError) -> [UInt8]? {
        try readers.read { db in try WorkQueries.sharedValue(db, of: batch) }
    }
}

extension SQLiteStore: QueueKeeping {
    package func queue(_ name: String) throws(StoreError) -> QueueOverview {
        try readers.snapshot { db in try QueueQueries.overview(db, name) }
    }

    package func queues(after: String?, limit: Int) throws(StoreError) -> [QueueOverview] {
        try readers.snapshot { db in try QueueQueries.overviews(db, after: after, limit: limit) }
    }

    package func changeQueue(
        _ name: String, _ change: QueueChange, completion: @escaping StoreCompletion<QueueRecord>
    ) {
        inbox.put(.changeQueue(name, change, completion))
    }
}

extension SQLiteStore: DeliveryQueue {
    package func dueDeliveries(at time: Timestamp, limit: Int) throws(StoreError) -> [Delivery] {
        try readers.read { db in try DeliveryQueries.due(db, at: time, limit: limit) }
    }

    package func nextDeliveryTime(after time: Timestamp) throws(StoreError) -> Timestamp? {
        try readers.read { db in try DeliveryQueries.nextTime(db, after: time) }
    }

    package func recordDelivery(_ attempt: DeliveryAttempt, completion: @escaping StoreCompletion<Void>) {
        inbox.put(.recordDelivery(attempt, completion))
    }
}
