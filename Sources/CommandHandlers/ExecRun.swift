import Platform

/// One run of a command from its start to its end.
final class ExecRun {
    enum End {
        case ended(ProcessExit, output: [UInt8])
        /// It wrote more than it may, and was killed.
        case tooLong(ProcessExit)
    }

    /// White space around the result that is not counted.
    private static let slack = 4096

    private let command: RunningCommand
    /// nil: the kernel does not end it.
    let cpuLimit: CommandCPULimit?
    private let limit: Int
    private var output: [UInt8] = []
    private var ready = ReadySet()

    init(_ program: Program, variables: [String], maximumBytes: Int) throws(SystemError) {
        let (limit, overflow) = maximumBytes.addingReportingOverflow(ExecRun.slack)
        self.limit = overflow ? .max : limit
        command = try RunningCommand(program, adding: variables)
        // Fails for a command that has ended already.
        let seconds = try? ChildProcess.shareCPULimit(with: command.processID, forGood: true)
        cpuLimit = seconds.map { CommandCPULimit(seconds: $0, isHard: true) }
    }

    /// Feeds the command, and reads what it says until it has ended. Processes that it leaves behind may hold its streams: nobody waits
    /// for them. If the worker has to end, this waits for all of them and does not return.
    func finish(
        _ payload: UnsafeRawBufferPointer, _ errors: inout ErrorTail, _ offspring: Offspring?
    ) throws(SystemError) -> End {
        do {
            return try communicate(payload, &errors, offspring)
        } catch {
            command.kill()
            _ = try ChildProcess.awaitEnd(of: command.processID)
            throw error
        }
    }

    private func communicate(
        _ payload: UnsafeRawBufferPointer, _ errors: inout ErrorTail, _ offspring: Offspring?
    ) throws(SystemError) -> End {
        let exit = try ChildProcess.exitDescriptor(of: command.processID)
        var rest = payload
        // Most payloads fit the pipe.
        try feed(&rest)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var hasEnded = false
        while !hasEnded {
            ready.removeAll()
            ready.watchReading(exit.rawValue)
            if let input = command.input { ready.watchWriting(input.number) }
            if let output = command.output { ready.watchReading(output.number) }
            if let errors = command.errors { ready.watchReading(errors.number) }
            if let termination = TerminationRequest.wakingDescriptor { ready.watchReading(termination) }
            try ready.wait()
            // First: the command may have ended because of the same signal.
            if TerminationRequest.isNoted { command.endWithWorker(&errors, offspring) }
            hasEnded = ready.isReady(exit.rawValue)
            if !hasEnded, let input = command.input, ready.isReady(input.number) { try feed(&rest) }
            if let pipe = command.errors, ready.isReady(pipe.number), errors.copy(from: pipe.number) == nil {
                command.errors = nil
            }
            guard readOutput(&buffer) else {
                command.kill()
                return .tooLong(try ChildProcess.awaitEnd(of: command.processID))
            }
        }
        // All that it wrote itself is in the pipes by now.
        while command.output != nil {
            let count = output.count
            guard readOutput(&buffer) else {
                return .tooLong(try ChildProcess.awaitEnd(of: command.processID))
            }
            if output.count == count { break }
        }
        if let pipe = command.errors { errors.drain(pipe.number) }
        return .ended(try ChildProcess.awaitEnd(of: command.processID), output: output)
    }

    /// Writes what the pipe takes. A command that does not want to read (on) is no error.
    private func feed(_ rest: inout UnsafeRawBufferPointer) throws(SystemError) {
        guard let input = command.input else { return }
        while !rest.isEmpty {
            switch try Pipe.write(input.number, rest) {
            case .bytes(let count): rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            case .nothing: return
            case .end: rest = UnsafeRawBufferPointer(start: nil, count: 0)
            }
        }
        command.input = nil
    }

    /// Reads once, if there is something. False: that was too much.
    private func readOutput(_ buffer: inout [UInt8]) -> Bool {
        guard let pipe = command.output else { return true }
        var space = buffer.mutableSpan
        let received = space.withUnsafeMutableBytes { Pipe.read(pipe.number, into: $0) }
        switch received {
        case .bytes(let count): output.append(contentsOf: buffer[..<count])
        case .nothing: break
        case .end: command.output = nil
        }
        return output.count <= limit
    }
}
