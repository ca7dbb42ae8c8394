import Glibc
import Platform

/// What a signal asks of the service.
enum SignalMeaning: Hashable, Sendable {
    case reload
    /// Finish what runs, within the grace period. The service may have begun with it before.
    case stop
    /// End the process now.
    case exit
    case nothing
}

/// Knows what signals mean. SIGHUP has two meanings: somebody wishes a reload, or the terminal is closed that the service was
/// started from. Who has sent it tells them apart.
struct SignalReader: Sendable {
    /// The service is to outlive its terminal, as `nohup` wants it.
    private let outlivesTerminal: Bool
    /// Who passes on that the terminal closes.
    private let shells: Set<Int32>
    private var wasAskedToStop = false

    init(outlivesTerminal: Bool, shells: Set<Int32>) {
        self.outlivesTerminal = outlivesTerminal
        self.shells = shells
    }

    /// - Parameter isClosing: whether the terminal closes, when a shell may have said so.
    mutating func meaning(of signal: Signals.Arrival, isClosing: (_ shell: Int32) -> Bool) -> SignalMeaning {
        guard signal.number == SIGHUP else {
            defer { wasAskedToStop = true }
            return wasAskedToStop ? .exit : .stop
        }
        if case .process(let sender) = signal.sender, !shells.contains(sender) || !isClosing(sender) { return .reload }
        return outlivesTerminal ? .nothing : .stop
    }
}
