import Glibc

/// State that threads share, with a lock around it and a way to sleep until it changes.
///
/// The habit is: lock, change, unlock, act. Use `Synchronization.Mutex` where nobody has to wait.
package final class Monitor<State>: @unchecked Sendable {
    // Safe to share: `state` is only touched with `mutex` held; mutex and condition never move, as POSIX demands.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    package enum Step<Result> {
        /// Stop waiting and return this.
        case done(Result)
        /// Sleep until somebody notifies or the deadline (nil: none) has passed, then look again.
        case sleep(until: MonotonicTime?)
    }

    package init(_ state: sending State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Wakes one waiter, or all of them.
    package func notify() { pthread_cond_signal(condition) }
    package func notifyAll() { pthread_cond_broadcast(condition) }

    /// Looks at the state with the lock held, again after every wake-up, until `body` is done.
    package func wait<Result>(_ body: (inout State) -> Step<Result>) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            switch body(&state) {
            case .done(let result):
                return result
            case .sleep(until: nil):
                pthread_cond_wait(condition, mutex)
            case .sleep(until: .some(let deadline)):
                var time = timespec(
                    tv_sec: Int(deadline.nanoseconds / 1_000_000_000),
                    tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
                pthread_cond_timedwait(condition, mutex, &time)
            }
        }
    }
}
