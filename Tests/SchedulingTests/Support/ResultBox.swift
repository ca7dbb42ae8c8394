import JobStore
import Synchronization

/// Catches the answer of a store.
final class ResultBox: Sendable {
    private let result = Mutex<Result<Void, StoreError>?>(nil)

    func set(_ value: Result<Void, StoreError>) { result.withLock { $0 = value } }
    func get() -> Result<Void, StoreError>? { result.withLock { $0 } }
}
