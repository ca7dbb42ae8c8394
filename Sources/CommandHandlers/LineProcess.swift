import Glibc
import JobModel
import Platform

/// A long-lived process of a command that gets jobs as lines and answers in lines.
final class LineProcess {
    enum Event {
        case nothing
        /// There may be complete lines in the inbox.
        case bytes
        /// Its output has come to its end.
        case end
    }

    /// So many jobs ahead keep a process busy for longer than the pause, however short they are.
    private static let crowd = 32
    private static let quick = TimeSpan.milliseconds(20)
    /// In microseconds.
    private static let pause: useconds_t = 50

    private let command: RunningCommand
    private(set) var errors: ErrorTail
    var inbox = LineBuffer()
    /// Outcomes that it gave.
    private(set) var answers = 0
    /// Whether it says which job an outcome belongs to. Only then it can be given jobs ahead: if one that does not wrote an outcome too
    /// many, all further ones would go to the wrong jobs.
    private(set) var namesJobs = false
    /// The identifier of the job that it answered last, as text with quotation marks.
    private(set) var lastAnswered: ArraySlice<UInt8>?
    /// Seconds of processor time after which the kernel ends it; nil: never. Whether there is a limit changes only between chunks, when
    /// it is idle.
    private(set) var cpuLimit: Int?
    /// It does not read any more, but may still answer what it has read.
    private var isDeaf = false
    /// How it ended, when it was reaped.
    private var exit: ProcessExit?
    /// What it had used when it was last between two jobs, in nanoseconds, and when that was. Jobs within a tick share it.
    private var baseline: Int64 = 0
    private var markedAt = MonotonicTime(nanoseconds: 0)
    /// Of the failed jobs of one tick, the first one's: to look for it takes longer than many a job.
    private var peak: (bytes: Int64, time: MonotonicTime)?
    private var ready = ReadySet()

    var processID: Int32 { command.processID }

    init(_ program: Program, errors: ErrorTail) throws(SystemError) {
        self.errors = errors
        command = try RunningCommand(program)
    }

    /// Whether its last job took so little time that to give it jobs ahead is worth it, and harmless: what it has been given it cannot
    /// be asked to leave.
    private(set) var isQuick = false

    /// An outcome came from it and was accepted.
    func answered(_ identifier: ArraySlice<UInt8>?) {
        isQuick = MonotonicTime.lastTick() - markedAt < LineProcess.quick
        answers += 1
        namesJobs = identifier != nil
        lastAnswered = identifier
        if cpuLimit != nil { renewCPULimit() }
        mark()
    }

    /// What it uses from here on is not charged to jobs before.
    private func mark() {
        let now = MonotonicTime.lastTick()
        guard now != markedAt else { return }
        markedAt = now
        baseline = ResourceUse.processorTime(of: processID)
        ResourceUse.forgetPeak(of: processID)
    }

    /// What it has used since it was last between two jobs.
    func certificate() -> DeathCertificate {
        let before = Double(baseline) / 1e9
        if let exit {
            var certificate = DeathCertificate(exit)
            certificate.cpuSeconds = max(0, certificate.cpuSeconds - before)
            return certificate
        }
        let now = MonotonicTime.lastTick()
        if peak?.time != now { peak = (ProcessStatus.peakResidentBytes(of: processID) ?? 0, now) }
        return DeathCertificate(
            processID: processID, cpuSeconds: max(0, Double(ResourceUse.processorTime(of: processID)) / 1e9 - before),
            peakResidentBytes: peak?.bytes ?? 0)
    }

    /// Writes and reads what can be written and read, and waits if that is nothing.
    func exchange(_ queue: inout JobQueue) throws(SystemError) -> Event {
        // An idle process is looked at before it gets something: it may have ended, or have written what nobody asked for.
        let isIdle = queue.sentBytes == 0
        var mayWait = !isIdle
        if isIdle { mayWait = try !hasNews() }
        if mayWait {
            if isIdle {
                errors.removeAll()
                renewCPULimit()
                mark()
            }
            try send(&queue)
            // To be woken for each of many short jobs would cost both processes more than the jobs. It has enough to do meanwhile.
            if queue.count >= LineProcess.crowd { usleep(LineProcess.pause) }
            try awaitNews(canWrite: queue.hasUnsent)
        }
        if let pipe = command.errors, ready.isReady(pipe.number), errors.copy(from: pipe.number) == nil {
            command.errors = nil
        }
        guard let pipe = command.output, ready.isReady(pipe.number) else { return .nothing }
        switch inbox.fill(from: pipe.number) {
        case .nothing: return .nothing
        case .bytes: return .bytes
        case .end: return .end
        }
    }

    /// Bytes of jobs that it has not read and will not read, as it has ended.
    func unreadBytes() throws(SystemError) -> Int {
        try command.input.map { (input) throws(SystemError) in try Pipe.unreadBytes(input.number) } ?? 0
    }

    /// Reaps the process, and reads the last of its standard error.
    /// - Parameter atOnce: kill it; otherwise it gets a moment to end by itself.
    /// - Returns: nil: it had to be killed.
    func end(atOnce: Bool) throws(SystemError) -> ProcessExit? {
        let own = atOnce ? nil : try ChildProcess.awaitEnd(of: processID, atMost: .milliseconds(1000))
        if let own {
            exit = own
        } else {
            command.kill()
            exit = try ChildProcess.awaitEnd(of: processID)
        }
        if let pipe = command.errors { errors.drain(pipe.number) }
        return own
    }

    /// Waits until it, and whatever it has started, has ended after SIGTERM, and ends this process then.
    func endWithWorker(_ offspring: Offspring?) -> Never { command.endWithWorker(&errors, offspring) }

    private func hasNews() throws(SystemError) -> Bool {
        ready.removeAll()
        guard let output = command.output else { return false }
        ready.watchReading(output.number)
        try ready.wait(milliseconds: 0)
        return ready.isReady(output.number)
    }

    private func send(_ queue: inout JobQueue) throws(SystemError) {
        guard let input = command.input, queue.hasUnsent, !isDeaf else { return }
        try queue.send { (lines) throws(SystemError) -> Int in
            switch try Pipe.write(input.number, lines) {
            case .bytes(let count): return count
            case .nothing: return 0
            case .end:
                isDeaf = true
                return 0
            }
        }
    }

    private func awaitNews(canWrite: Bool) throws(SystemError) {
        ready.removeAll()
        if let output = command.output { ready.watchReading(output.number) }
        if let errors = command.errors { ready.watchReading(errors.number) }
        if canWrite, !isDeaf, let input = command.input { ready.watchWriting(input.number) }
        if let termination = TerminationRequest.wakingDescriptor { ready.watchReading(termination) }
        try ready.wait()
    }

    /// The next job has the processor time that the worker may still use.
    private func renewCPULimit() {
        do {
            cpuLimit = try ChildProcess.shareCPULimit(with: processID, forGood: false)
        } catch {
            // It has ended, which shows when its output is read; the last limit may be why.
        }
    }
}
