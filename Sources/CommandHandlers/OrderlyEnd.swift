import Glibc
import Platform

// What happens when SIGTERM comes to the worker's process group, and so to its command and to what that has started. The worker stays
// until they have put their things in order, or until the grace period is over and the whole group is killed.

extension RunningCommand {
    /// How often it is looked whether somebody is left, in milliseconds.
    private static let interval: Int32 = 20

    /// Waits until all of the process group have ended, and ends this process then. No outcome is reported any more.
    func endWithWorker(_ errors: inout ErrorTail, _ offspring: Offspring?) -> Never {
        let group = CurrentProcess.id
        // Idle ones of other handlers have nothing to put in order.
        offspring?.endResidents(but: processID)
        // One that has left the group has not heard of it.
        if let other = ChildProcess.group(of: processID), other != group { ChildProcess.signalGroup(other, SIGTERM) }
        input = nil
        // What goes wrong only makes the wait shorter.
        while (try? isAnybodyLeft(group)) ?? false, (try? listen(&errors)) != nil {}
        if let pipe = self.errors { errors.drain(pipe.number) }
        TerminationRequest.obey()
    }

    /// Whose parent has ended becomes a child of the worker, so that nobody is overlooked.
    private func isAnybodyLeft(_ group: Int32) throws(SystemError) -> Bool {
        while try ChildProcess.reap() != nil {}
        return ChildProcess.exist(.process(processID)) || ChildProcess.exist(.group(group))
    }

    /// Reads on, so that nobody has to wait for it. Standard output is not an answer any more.
    private func listen(_ errors: inout ErrorTail) throws(SystemError) {
        var ready = ReadySet()
        if let output { ready.watchReading(output.number) }
        if let errors = self.errors { ready.watchReading(errors.number) }
        try ready.wait(milliseconds: RunningCommand.interval)
        if let output, ready.isReady(output.number), !RunningCommand.skip(output) { self.output = nil }
        if let pipe = self.errors, ready.isReady(pipe.number), errors.copy(from: pipe.number) == nil {
            self.errors = nil
        }
    }

    /// - Returns: whether there may be more.
    private static func skip(_ output: PipeEnd) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
            if case .end = Pipe.read(output.number, into: buffer) { false } else { true }
        }
    }
}
