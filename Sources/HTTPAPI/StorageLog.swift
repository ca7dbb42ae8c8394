import JobStore
import Logging
import Synchronization

/// Says once that work is refused because the storage is full, and once that it is taken again, however many requests meet that.
final class StorageLog: Sendable {
    private let isFull = Atomic(false)
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    /// What became of a submission.
    func note<Value>(_ result: Result<Value, StoreError>) {
        switch result {
        case .success:
            guard isFull.load(ordering: .relaxed), isFull.exchange(false, ordering: .relaxed) else { return }
            logger.notice("new work is taken again")
        case .failure(.full(let detail)):
            guard !isFull.exchange(true, ordering: .relaxed) else { return }
            logger.error("new work is refused: the storage is full", metadata: ["detail": "\(detail)"])
        case .failure:
            return
        }
    }
}
