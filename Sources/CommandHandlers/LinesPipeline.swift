import JobModel
import Platform
import WorkerKit

/// Gives jobs to one long-lived process of a command, as lines, and reads their outcomes. The process is started with the first job, and
/// anew after it has ended or has left the protocol.
final class LinesPipeline: JobPipeline {
    private enum Ahead {
        /// Jobs that a process may have at once, if it names them.
        static let jobs = 128
        /// Bytes of such jobs, unless it is a single one.
        static let bytes = 64 * 1024
    }
    /// What a line may have beside a result, such as a traceback or a line of the log.
    private static let slack = 64 * 1024

    private let program: Program
    private let offspring: Offspring?
    private let errors: ErrorTail
    private var process: LineProcess?
    private var queue = JobQueue()
    private let shared = SharedFile()

    /// - Parameters:
    ///   - offspring: nil: processes that commands leave behind are not this one's affair.
    ///   - errors: an empty one.
    init(_ program: Program, offspring: Offspring?, errors: ErrorTail = ErrorTail()) {
        self.program = program
        self.offspring = offspring
        self.errors = errors
    }

    func take<Outcomes: JobOutcomes & ~Copyable>(
        _ payload: UnsafeRawBufferPointer, _ context: JobContext, _ outcomes: inout Outcomes
    ) throws {
        queue.append(payload, context, sharedFile: try shared.path(for: context))
        guard let process, process.namesJobs, process.isQuick else { return try advance(until: 0, &outcomes) }
        if queue.byteCount >= Ahead.bytes { return try advance(until: queue.count / 2, &outcomes) }
        // Half of them, so that many lines are written at a time.
        if queue.count >= Ahead.jobs { try advance(until: Ahead.jobs / 2, &outcomes) }
    }

    func finish<Outcomes: JobOutcomes & ~Copyable>(_ outcomes: inout Outcomes) throws {
        try advance(until: 0, &outcomes)
        try offspring?.endOrphans()
    }

    /// Goes on until so many jobs at most have no outcome.
    private func advance<Outcomes: JobOutcomes & ~Copyable>(until goal: Int, _ outcomes: inout Outcomes) throws {
        while queue.count > goal {
            if TerminationRequest.isNoted { endWithWorker() }
            let process: LineProcess
            let event: LineProcess.Event
            do {
                process = try self.process ?? start()
                event = try process.exchange(&queue)
            } catch let error as SystemError {
                try retire(atOnce: true)
                try fail(Failure(notStarted: error), nil, &outcomes)
                continue
            }
            // What it says now, or that it ends, may be due to the same signal.
            if TerminationRequest.isNoted { continue }
            switch event {
            case .nothing: break
            case .bytes: try readLines(of: process, &outcomes)
            case .end: try mourn(process, &outcomes)
            }
        }
    }

    // MARK: The process

    private func endWithWorker() -> Never {
        process?.endWithWorker(offspring)
        TerminationRequest.obey()
    }

    private func start() throws(SystemError) -> LineProcess {
        let process = try LineProcess(program, errors: errors)
        offspring?.settle(process.processID)
        self.process = process
        return process
    }

    /// - Returns: how it ended; nil: it was killed.
    @discardableResult
    private func retire(atOnce: Bool) throws(SystemError) -> ProcessExit? {
        guard let process else { return nil }
        self.process = nil
        queue.rewind()
        let exit = try process.end(atOnce: atOnce)
        offspring?.unsettle(process.processID)
        return exit
    }

    /// Its output has ended, and so has it, most likely.
    private func mourn<Outcomes: JobOutcomes & ~Copyable>(
        _ process: LineProcess, _ outcomes: inout Outcomes
    ) throws {
        let sent = queue.sentBytes
        let exit = try retire(atOnce: false)
        // A process may end itself between two jobs. A first job that it did not read either would be tried for ever.
        if process.answers > 0, try process.unreadBytes() >= sent { return }
        let place = " in the middle of the job"
        let failure =
            exit.map {
                let limit = process.cpuLimit.map { CommandCPULimit(seconds: $0, isHard: false) }
                return Failure($0, place: place, process.errors, cpuLimit: limit)
            }
            ?? Failure(
                kind: .exception, message: "the command closed its output\(place)", type: "OutputClosed",
                traceback: process.errors.text)
        try fail(failure, process, &outcomes)
    }

    /// - Parameter process: what the job failed in, if that was started.
    private func fail<Outcomes: JobOutcomes & ~Copyable>(
        _ failure: Failure, _ process: LineProcess?, _ outcomes: inout Outcomes
    ) throws {
        var failure = failure
        failure.death = process?.certificate()
        queue.removeOldest()
        try outcomes.report(failure)
    }

    // MARK: What it says

    private func readLines<Outcomes: JobOutcomes & ~Copyable>(
        of process: LineProcess, _ outcomes: inout Outcomes
    ) throws {
        while self.process === process, let line = process.inbox.next() {
            do {
                switch try CommandReply(parsing: line) {
                case .sign(let sign): queue.oldest.map { sign.give(to: $0.context) }
                case .outcome(let outcome): try accept(outcome, of: process, &outcomes)
                }
            } catch let fault as CommandReply.Fault {
                try leave(fault, process, &outcomes)
            }
        }
        let limit = outcomes.maximumResultBytes
        if self.process === process, process.inbox.rest.count - LinesPipeline.slack > limit {
            try retire(atOnce: true)
            try fail(Failure(outputBeyond: limit), process, &outcomes)
        }
    }

    private func accept<Outcomes: JobOutcomes & ~Copyable>(
        _ outcome: CommandReply.Outcome, of process: LineProcess, _ outcomes: inout Outcomes
    ) throws {
        let identifier = outcome.identifier
        // Whose second outcome it is has its first one already. No other job answers for it.
        if process.answers > 0, queue.sentBytes == 0 || (identifier != nil && identifier == process.lastAnswered) {
            StandardError.write("the command wrote an outcome that no job waited for, and is started anew")
            try retire(atOnce: true)
            return
        }
        guard queue.isOldestSent else {
            throw CommandReply.Fault(message: "an outcome before it can have read its job")
        }
        if let identifier, !queue.isOldest(identifiedBy: identifier) {
            throw CommandReply.Fault(
                message: "an outcome for \(String(decoding: identifier, as: UTF8.self)), whose turn it is not")
        }
        if identifier == nil {
            if process.namesJobs {
                throw CommandReply.Fault(message: "an outcome without an \"id\" after one that has it")
            }
            try expectNoOutcome(of: process)
        }
        switch outcome.end {
        case .result(let text):
            process.answered(identifier)
            queue.removeOldest()
            try outcomes.report(text)
        case .error(let failure):
            // Before the next job's time begins.
            let certificate = process.certificate()
            process.answered(identifier)
            queue.removeOldest()
            var failure = failure
            failure.death = certificate
            try outcomes.report(failure)
        }
    }

    /// What follows the outcome of a job, before it can have read the next one.
    private func expectNoOutcome(of process: LineProcess) throws {
        while let line = process.inbox.next() {
            if case .outcome = try CommandReply(parsing: line) {
                throw CommandReply.Fault(message: "two outcomes for one job")
            }
        }
    }

    /// The process has left the protocol: nobody knows what its next line would belong to.
    private func leave<Outcomes: JobOutcomes & ~Copyable>(
        _ fault: CommandReply.Fault, _ process: LineProcess, _ outcomes: inout Outcomes
    ) throws {
        try retire(atOnce: true)
        try fail(Failure(kind: .invalidResult, message: "the command wrote \(fault.message)"), process, &outcomes)
    }
}
