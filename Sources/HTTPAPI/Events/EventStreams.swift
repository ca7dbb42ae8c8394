import JobModel

/// All streams of events, by what they are about.
struct EventStreams {
    private var ofAllBatches: [EventStream] = []
    private var ofOneBatch: [BatchID: [EventStream]] = [:]
    private(set) var count = 0

    var all: [EventStream] { ofAllBatches + ofOneBatch.values.joined() }

    mutating func add(_ stream: EventStream) {
        count += 1
        if let batch = stream.batch {
            ofOneBatch[batch, default: []].append(stream)
        } else {
            ofAllBatches.append(stream)
        }
    }

    mutating func remove(_ number: UInt64, of batch: BatchID?) {
        let before = batch.map { ofOneBatch[$0] ?? [] } ?? ofAllBatches
        let rest = before.filter { $0.number != number }
        count -= before.count - rest.count
        if let batch { ofOneBatch[batch] = rest.isEmpty ? nil : rest } else { ofAllBatches = rest }
    }

    func interest(in batch: BatchID) -> Bool { !ofAllBatches.isEmpty || ofOneBatch[batch] != nil }

    func ofBatch(_ batch: BatchID) -> [EventStream] { ofOneBatch[batch] ?? [] }

    func listening(to batch: BatchID) -> [EventStream] { ofAllBatches + ofBatch(batch) }
}
