import Glibc
import Platform

/// Why the service ends: the first reason counts, but an error counts more than a signal.
final class StopRequest: Sendable {
    enum Reason: Sendable, Equatable {
        /// The signal's number: finish what runs, within the grace period.
        case signal(Int32)
        /// Nothing can be recorded any more: stop at once and let the supervisor start anew.
        case fatal(String)
    }

    private let reason = Monitor<Reason?>(nil)

    func stop(_ why: Reason) {
        reason.withLock { reason in
            switch (reason, why) {
            case (nil, _), (.signal, .fatal): reason = why
            case (.signal, .signal), (.fatal, _): break
            }
        }
        reason.notifyAll()
    }

    /// Sleeps until there is a reason.
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
