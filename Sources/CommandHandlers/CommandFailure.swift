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

extension Failure {
    /// How the command ended, if that was no success.
    /// - Parameter place: words behind it, such as ` in the middle of the job`.
    init(_ exit: ProcessExit, place: String, _ errors: ErrorTail) {
        let detail = errors.lastLine.map { ": \($0)" } ?? ""
        if let signal = exit.signal {
            let name = SignalName.of(signal)
            let isLimit = signal == SIGXCPU
            self.init(
                kind: isLimit ? .cpuLimit : .exception,
                message: isLimit
                    ? "the command used more processor time than the job may, and was killed by \(name)"
                    : "killed by \(name)\(place)\(detail)",
                type: "Signal", traceback: errors.text)
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
