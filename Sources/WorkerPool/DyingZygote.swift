import Platform

/// A zygote whose channel has ended: it is dead, or has to be killed, and its status is waited for. The poller watches its end, so that
/// nobody sleeps for it. Belongs to the pool's thread.
final class DyingZygote {
    /// How long it may take to end by itself, and then, killed, to die.
    static let patience = TimeSpan.milliseconds(50)

    let zygote: ZygoteClient
    /// What is said of it if its status does not come.
    let reason: String
    /// When to look at it, if its end does not come before.
    private(set) var due: MonotonicTime
    private var isKilled = false
    private let end: Descriptor

    init(_ zygote: ZygoteClient, reason: String, now: MonotonicTime) throws(SystemError) {
        self.zygote = zygote
        self.reason = reason
        due = now + DyingZygote.patience
        end = try ChildProcess.exitDescriptor(of: zygote.processID)
    }

    /// To be watched for reading.
    var fileDescriptor: Int32 { end.rawValue }

    enum Fate: Equatable {
        case awaited
        case ended(ProcessExit)
        /// It is killed, and takes its time to die.
        case lingers
    }

    /// Looks whether it has ended, and loses patience when that is due. Not again after its end.
    func look(now: MonotonicTime) throws(SystemError) -> Fate {
        if let exit = try ChildProcess.reap(.process(zygote.processID)) { return .ended(exit) }
        guard due <= now else { return .awaited }
        zygote.kill()
        if isKilled { return .lingers }
        isKilled = true
        due = now + DyingZygote.patience
        return .awaited
    }
}
