import JobModel
import JobStore

/// One thing that a client asked the writer to do.
///
/// Indirect, so that what waits is handed around by reference.
indirect enum WriteOperation: Sendable {
    case submit(NewBatch, StoreCompletion<BatchRecord>)
    case requestCancel(BatchID, StoreCompletion<BatchRecord?>)
    case record([Recording], StoreCompletion<Void>)
    case cancelPending(BatchID, except: [Range<Int>], at: Timestamp, StoreCompletion<Void>)
    case changeQueue(String, QueueChange, StoreCompletion<QueueRecord>)
    case recordDelivery(DeliveryAttempt, StoreCompletion<Void>)

    var isSubmission: Bool {
        if case .submit = self { true } else { false }
    }

    /// About how many bytes it adds to the database.
    var byteCount: Int {
        switch self {
        case .submit(let batch, _): batch.segments.reduce(0) { $0 + $1.input.count }
        case .record(let recordings, _):
            recordings.reduce(0) { sum, recording in recording.runs.reduce(sum) { $0 + $1.body.count } }
        case .requestCancel, .cancelPending, .changeQueue, .recordDelivery: 0
        }
    }

    func refuse(_ error: StoreError) {
        switch self {
        case .submit(_, let completion): completion(.failure(error))
        case .requestCancel(_, let completion): completion(.failure(error))
        case .record(_, let completion): completion(.failure(error))
        case .cancelPending(_, _, _, let completion): completion(.failure(error))
        case .changeQueue(_, _, let completion): completion(.failure(error))
        case .recordDelivery(_, let completion): completion(.failure(error))
        }
    }
}

/// The answer to an operation, kept until the commit that makes it true.
enum Settlement {
    case batch(BatchRecord, StoreCompletion<BatchRecord>)
    case batchIfAny(BatchRecord?, StoreCompletion<BatchRecord?>)
    case queue(QueueRecord, StoreCompletion<QueueRecord>)
    case done(StoreCompletion<Void>)
    case refused(WriteOperation, StoreError)

    func tell() {
        switch self {
        case .batch(let record, let completion): completion(.success(record))
        case .batchIfAny(let record, let completion): completion(.success(record))
        case .queue(let record, let completion): completion(.success(record))
        case .done(let completion): completion(.success(()))
        case .refused(let operation, let error): operation.refuse(error)
        }
    }
}
