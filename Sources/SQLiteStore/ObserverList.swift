import JobStore
import Synchronization

/// Who hears of commits.
final class ObserverList: Sendable {
    private let observers = Mutex<[any StoreObserver]>([])

    func add(_ observer: any StoreObserver) { observers.withLock { $0.append(observer) } }

    func removeAll() { observers.withLock { $0 = [] } }

    func tell(_ changes: [StoreChange]) {
        for observer in observers.withLock({ $0 }) { observer.storeDidCommit(changes) }
    }
}
