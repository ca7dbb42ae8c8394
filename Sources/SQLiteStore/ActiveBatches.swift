import JobModel
import JobStore

/// An unfinished batch as the writer remembers it, so that recording needs no reading.
final class ActiveBatch {
    /// What changes of a batch.
    struct Progress {
        var phase = BatchRecord.Phase.active
        var counts = OutcomeCounts()
        var startedAt: Timestamp?
        var finishedAt: Timestamp?
    }

    /// The number of its first job.
    let base: Int
    let id: BatchID
    let total: Int
    let options: BatchOptions
    let block: BlockCount
    var progress: Progress
    var counters: [String: Int64]
    /// What its jobs' logs have used up of `JobLog.bytesPerBatch`.
    var logBytes: Int
    /// No job from this index on has an outcome.
    var frontier: Int
    /// The body of the run that gave all jobs their outcome at once, if it is small: it stands in the row of progress.
    var onlyBody: [UInt8]?
    /// The progress changed and is not written yet.
    var needsWriting = false
    private let submitted: BatchRecord

    init(_ row: BatchRow, frontier: Int, block: BlockCount) {
        let record = row.record
        base = row.base
        id = record.id
        total = record.total
        options = record.options
        submitted = record
        counters = record.counters
        logBytes = row.logBytes
        self.block = block
        self.frontier = frontier
        progress = Progress(
            phase: record.phase, counts: record.counts, startedAt: record.startedAt, finishedAt: record.finishedAt)
    }

    /// As it now is.
    var record: BatchRecord {
        var record = submitted
        record.phase = progress.phase
        record.counts = progress.counts
        record.counters = counters
        record.startedAt = progress.startedAt
        record.finishedAt = progress.finishedAt
        return record
    }
}

/// The unfinished batches that were used last. Two generations: when the young one is full, the old one is forgotten and the
/// young one becomes old; a batch that is used becomes young again.
struct ActiveBatches {
    /// The lower half alone is as good as unique, and hashed in half the time.
    private struct Key: Hashable {
        let id: BatchID

        func hash(into hasher: inout Hasher) { hasher.combine(id.ulid.low) }
    }

    private let generationSize: Int
    private var young: [Key: ActiveBatch] = [:]
    private var old: [Key: ActiveBatch] = [:]

    init(generationSize: Int = 8192) { self.generationSize = generationSize }

    mutating func find(_ id: BatchID) -> ActiveBatch? {
        if let batch = young[Key(id: id)] { return batch }
        guard let batch = old.removeValue(forKey: Key(id: id)) else { return nil }
        insert(batch)
        return batch
    }

    mutating func insert(_ batch: ActiveBatch) {
        if young.count >= generationSize {
            old = young
            young = [:]
        }
        young[Key(id: batch.id)] = batch
    }

    mutating func remove(_ id: BatchID) {
        if young.removeValue(forKey: Key(id: id)) == nil { old.removeValue(forKey: Key(id: id)) }
    }

    mutating func removeAll() {
        young = [:]
        old = [:]
    }
}
