import Glibc
import Platform

/// A process of a command, and this side of its three streams. No call on them waits.
final class RunningCommand {
    let processID: Int32
    /// nil once there is nothing more to tell it.
    var input: PipeEnd?
    /// nil once it has come to its end.
    var output: PipeEnd?
    /// nil once it has come to its end.
    var errors: PipeEnd?

    /// - Parameter variables: `NAME=value` each, beside the program's environment.
    init(_ program: Program, adding variables: [String] = []) throws(SystemError) {
        let (inputStream, inputEnd) = try Pipe.toCommand()
        let input = PipeEnd(adopting: inputEnd)
        let standardInput = Descriptor(adopting: inputStream)
        let (outputEnd, outputStream) = try Pipe().split()
        let output = PipeEnd(adopting: outputEnd)
        let standardOutput = Descriptor(adopting: outputStream)
        let (errorsEnd, errorsStream) = try Pipe().split()
        let errors = PipeEnd(adopting: errorsEnd)
        let standardError = Descriptor(adopting: errorsStream)
        processID = try program.start(
            adding: variables, input: standardInput, output: standardOutput, errors: standardError)
        // The signal may have come too early for the new process.
        if TerminationRequest.isNoted { ChildProcess.signal(processID, SIGTERM) }
        self.input = input
        self.output = output
        self.errors = errors
    }

    func kill() { ChildProcess.signal(processID, SIGKILL) }
}
