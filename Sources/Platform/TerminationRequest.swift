import CSystem
import Glibc

/// SIGTERM as a request instead of an end.
package enum TerminationRequest {
    /// From here on SIGTERM is noted, and wakes who waits for `signal`, which has to live until `release`.
    package static func `catch`(_ signal: EventSignal) throws(SystemError) {
        guard csystem_catch_termination(signal.fileDescriptor) == 0 else { throw SystemError("sigaction") }
    }

    /// SIGTERM ends the process again.
    package static func release() throws(SystemError) {
        guard csystem_release_termination() == 0 else { throw SystemError("sigaction") }
    }

    /// Whether SIGTERM has been noted. It stays true.
    package static var isNoted: Bool { csystem_termination_requested() != 0 }

    /// What becomes readable when SIGTERM is noted; nil if nobody has caught it yet.
    package static var wakingDescriptor: Int32? {
        let number = csystem_termination_event()
        return number >= 0 ? number : nil
    }

    /// Ends this process as SIGTERM does where nobody catches it.
    package static func obey() -> Never {
        _ = csystem_release_termination()
        raise(SIGTERM)
        CurrentProcess.exit(128 + SIGTERM)
    }
}
