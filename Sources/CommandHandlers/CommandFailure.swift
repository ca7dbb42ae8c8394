import Glibc
import JobModel
import Platform

// The failures of jobs whose handlers are commands.

extension DeathCertificate {
    /// Of a process that has been reaped.
    init(_ exit: ProcessExit) {
        self.init(
            processID: exit.processID, exitCode: exit.exitCode, signal: exit.signal.map(SignalName.of),
            cpuSeconds: exit.cpuSeconds, peakResidentBytes: exit.peakResidentBytes)
    }
}

/// When the kernel ends a command.
struct CommandCPULimit {
    /// Of processor time, since the process began.
    let seconds: Int
    /// SIGXCPU is followed by SIGKILL.
    let isHard: Bool
}

extension ProcessExit {
    /// Whether its limit of processor time, in seconds, has ended it, or a program that it ran: a shell tells of that by its status.
    fileprivate func isBeyond(_ limit: CommandCPULimit?) -> Bool {
        guard let limit else { return false }
        switch signal ?? exitCode.map({ $0 - 128 }) {
        case SIGXCPU: return true
        // For those that do not mind the other one. What the kernel counts for its limit is only sampled.
        case SIGKILL: return limit.isHard && cpuSeconds >= Double(limit.seconds) * 0.75
        default: return false
        }
    }
}

extension Failure {
    /// How the command ended, if that was no success.
    /// - Parameters:
    ///   - place: words behind it, such as ` in the middle of the job`.
    ///   - cpuLimit: nil: the kernel does not end it.
    init(_ exit: ProcessExit, place: String, _ errors: ErrorTail, cpuLimit: CommandCPULimit?) {
        let detail = errors.lastLine.map { ": \($0)" } ?? ""
        if exit.isBeyond(cpuLimit) {
            self.init(
                kind: .cpuLimit, message: "the command used more processor time than the job may, and was killed",
                traceback: errors.text)
        } else if let signal = exit.signal {
            self.init(
                kind: .exception, message: "killed by \(SignalName.of(signal))\(place)\(detail)", type: "Signal",
                traceback: errors.text)
        } else {
            self.init(
                kind: .exception, message: "exited with status \(exit.exitCode ?? -1)\(place)\(detail)",
                type: "ExitStatus",
                traceback: errors.text)
        }
    }

    init(notStarted error: SystemError) {
        self.init(kind: .exception, message: "the command cannot be run: \(error)", type: "StartFailed")
    }

    init(outputBeyond limit: Int) {
        self.init(
            kind: .outputLimit,
            message: "the command's output is longer than \(limit) bytes, which is all that is allowed")
    }
}
