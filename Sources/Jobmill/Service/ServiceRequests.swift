import Glibc
import Logging
import Platform

/// What the service is asked to do while it runs. Signals and failures leave it here; the main thread takes it and acts.
final class ServiceRequests: Sendable {
    /// Why the service ends: the first reason counts, but an error counts more than a signal.
    enum StopReason: Sendable, Equatable {
        /// The signal's number: finish what runs, within the grace period.
        case signal(Int32)
        /// Nothing can be recorded any more: stop at once and let the supervisor start anew.
        case fatal(String)
    }

    enum Request: Sendable, Equatable {
        /// Read the settings again.
        case reload
        /// Nothing else is asked for from then on.
        case stop(StopReason)
    }

    private struct Asked: Sendable {
        var stop: StopReason?
        var reload = false
    }

    private let asked = Monitor(Asked())

    func stop(_ why: StopReason) {
        asked.withLock { asked in
            switch (asked.stop, why) {
            case (nil, _), (.signal, .fatal): asked.stop = why
            case (.signal, .signal), (.fatal, _): break
            }
        }
        asked.notifyAll()
    }

    /// Many that come while the service is at it count as one.
    /// - Returns: false if the service stops, so that nobody will see to it.
    func reload() -> Bool {
        let isHeard = asked.withLock { asked in
            asked.reload = asked.stop == nil
            return asked.reload
        }
        asked.notifyAll()
        return isHeard
    }

    /// Sleeps until there is something to do.
    func next() -> Request {
        asked.wait { asked in
            if let why = asked.stop { return .done(.stop(why)) }
            guard asked.reload else { return .sleep(until: nil) }
            asked.reload = false
            return .done(.reload)
        }
    }

    /// SIGHUP reloads. The first of the other signals asks the service to stop, the second ends the process at once.
    func obey(_ signals: Signals, logger: Logger) throws(SystemError) {
        let hadTerminal = ControllingTerminal.exists
        _ = try OwnedThread(name: "signals") { [self] in
            var isStopping = false
            while true {
                let signal = signals.next()
                // The terminal that it was started from says goodbye with the same signal.
                if signal == SIGHUP, !hadTerminal || ControllingTerminal.exists {
                    if !reload() { logger.notice("SIGHUP is ignored: the service stops") }
                    continue
                }
                if isStopping { _exit(128 + signal) }
                isStopping = true
                stop(.signal(signal))
            }
        }
    }
}
