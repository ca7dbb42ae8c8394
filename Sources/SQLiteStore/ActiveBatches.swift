import JobModel
import JobStore

/// An unfinished batch as the writer remembers it, so that recording needs no reading.
final class ActiveBatch {
    /// The number of its first job.
    let base: Int
    var record: BatchRecord
    /// No job from this index on has an outcome.
    var frontier: Int
    /// The counters changed and are not written yet.
    var needsWriting = false

    init(base: Int, record: BatchRecord, frontier: Int) {
        self.base = base
        self.record = record
        self.frontier = frontier
    }
}

/// The unfinished batches that were used last. Two generations: when the young one is full, the old one is forgotten and the
/// young one becomes old; a batch that is used becomes young again.
struct ActiveBatches {
    private let generationSize: Int
    private var young: [BatchID: ActiveBatch] = [:]
    private var old: [BatchID: ActiveBatch] = [:]

    init(generationSize: Int = 8192) { self.generationSize = generationSize }

    mutating func find(_ id: BatchID) -> ActiveBatch? {
        if let batch = young[id] { return batch }
        guard let batch = old.removeValue(forKey: id) else { return nil }
        insert(batch)
        return batch
    }

    mutating func insert(_ batch: ActiveBatch) {
        if young.count >= generationSize {
            old = young
            young = [:]
        }
        young[batch.record.id] = batch
    }

    mutating func remove(_ id: BatchID) {
        if young.removeValue(forKey: id) == nil { old.removeValue(forKey: id) }
    }

    mutating func removeAll() {
        young = [:]
        old = [:]
    }
}
