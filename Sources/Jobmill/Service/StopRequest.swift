import Glibc
import Platform

/// Why the service ends, decided once: the first reason counts.
final class StopRequest: Sendable {
    enum Reason: Sendable, Equatable {
        /// The signal's number: finish what runs, within the grace period.
        case signal(Int32)
        /// Nothing can be recorded any more: stop at once and let the supervisor start anew.
        case fatal(String)
    }

    private let reason = Monitor<Reason?>(nil)

    func stop(_ why: Reason) {
        reason.withLock { if $0 == nil { $0 = why } }
        reason.notifyAll()
    }

    func wait() -> Reason {
        reason.wait { reason in reason.map { .done($0) } ?? .sleep(until: nil) }
    }

    /// The first signal asks the service to stop, the second ends the process at once.
    func obey(_ signals: Signals) throws(SystemError) {
        _ = try OwnedThread(name: "signals") { [self] in
            stop(.signal(signals.next()))
            let second = signals.next()
            _exit(128 + second)
        }
    }
}
