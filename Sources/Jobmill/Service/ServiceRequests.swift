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

    /// From here on a thread takes the signals and does what they mean, or leaves it here.
    func obey(_ signals: Signals, startedFrom terminal: StartingTerminal, logger: Logger) throws(SystemError) {
        _ = try OwnedThread(name: "signals") { [self] in
            var reader = SignalReader(outlivesTerminal: signals.ignored.contains(SIGHUP), shells: terminal.shells)
            while true {
                let signal = signals.next()
                switch reader.meaning(of: signal, isClosing: terminal.isClosing) {
                case .reload: if !reload() { logger.notice("SIGHUP is ignored: the service stops") }
                case .stop: stop(.signal(signal.number))
                case .exit: _exit(128 + signal.number)
                case .nothing: logger.notice("the terminal is closed, and the service goes on")
                }
            }
        }
    }
}
