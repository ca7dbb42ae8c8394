import Glibc
import JobModel
import Platform

extension PoolState.Worker {
    /// Why the chunk of a dead worker did not come to its end, and who is charged for it.
    func verdict(on work: PoolState.Work, _ remains: PoolState.Remains, now: MonotonicTime) -> ChunkEnd {
        let position = remains.finished
        guard position < work.chunk.count else { return .completed(busy: (now - work.assignedAt).seconds) }
        if remains.isDone { return .returned }
        if var failure = failure(in: work, remains) {
            failure.death = certificate(remains, now: now)
            return .interrupted(position: position, failure: failure)
        }
        if let zygoteEnd, !wasZygoteGivenUp, killReason == nil, remains.runningSince != nil {
            guard work.isAlone else { return .orphaned(position: position, charged: nil) }
            var failure = orphanage(zygoteEnd)
            failure.death = certificate(remains, now: now)
            return .orphaned(position: position, charged: failure)
        }
        guard var loss = loss(of: work, remains) else { return .returned }
        loss.death = certificate(remains, now: now)
        return .lost(loss)
    }

    /// What a job has to answer for that was alone when its zygote died.
    private func orphanage(_ zygoteEnd: String) -> Failure {
        let what = "the fork server \(zygoteEnd) while this job ran, the only one under it, and its worker died with it"
        let advice = "look for signals that the job sends to its parent, and in the system's log for a lack of memory"
        return Failure(kind: .signal, message: "\(what); \(advice)")
    }

    /// What a job has to answer for that was alone in its chunk when the worker came to grief before it ran any; nil: nothing.
    private func loss(of work: PoolState.Work, _ remains: PoolState.Remains) -> Failure? {
        guard remains.runningSince == nil else { return nil }
        switch killReason {
        case .unresponsive, .stalled:
            let limit = Verdict.number(work.patience.seconds)
            return Failure(
                kind: .signal, message: "the worker did not come to run this job within \(limit) s, and was killed")
        case .suspended:
            return Failure(
                kind: .signal,
                message: "a signal stopped the worker before it ran this job (SIGSTOP or the like), and it was killed")
        case nil:
            // One that ends in good order behind a job has its reasons.
            guard !isOrphan, exit?.exitCode != 0 || remains.finished == 0 else { return nil }
            return Verdict.failure(of: exit, work.limits, remains, "before it ran this job")
        case .cancelled, .stopped, .timeout, .memoryLimit, .notReady, .violation:
            return nil
        }
    }

    /// What the job behind the finished ones has to answer for; nil: nothing.
    private func failure(in work: PoolState.Work, _ remains: PoolState.Remains) -> Failure? {
        if case .violation(let what) = killReason {
            return Failure(
                kind: .signal, message: "the worker broke the protocol while it ran this job (\(what)) and was killed")
        }
        guard remains.runningSince != nil else { return nil }
        switch killReason {
        case .stopped, .unresponsive, .stalled, .notReady:
            return nil
        case .cancelled:
            return Failure(kind: .cancelled, message: "the job was cancelled while it ran, and its worker was killed")
        case .timeout(let late):
            // If the job came to its end between the decision and the signal, another one was hit, which was not late.
            guard late == remains.finished else { return nil }
            let limit = Verdict.number(work.chunk.timeout ?? 0)
            return Failure(kind: .timeout, message: "the job ran longer than its time-out of \(limit) s")
        case .memoryLimit(let bytes):
            let limit = work.limits.residentBytes ?? 0
            return Failure(
                kind: .memoryLimit,
                message: "the worker held \(bytes) bytes of memory while it ran this job, \(limit) are allowed")
        case .suspended:
            return Failure(
                kind: .signal,
                message: "a signal stopped the worker while it ran this job (SIGSTOP or the like), and it was killed")
        case .violation, nil:
            // With the zygote, the workers die.
            return isOrphan ? nil : Verdict.failure(of: exit, work.limits, remains, "while it ran this job")
        }
    }

    /// How it died, in brackets, and what it printed last, as the end of a sentence.
    func how(_ remains: PoolState.Remains) -> String {
        let cause = exit?.signal.map { " (\(SignalName.of($0)))" } ?? exit?.exitCode.map { " (status \($0))" } ?? ""
        let text = remains.standardError.map { ": \($0)" } ?? ""
        return cause + text
    }

    private func certificate(_ remains: PoolState.Remains, now: MonotonicTime) -> DeathCertificate? {
        guard let processID else { return nil }
        return DeathCertificate(
            processID: processID,
            exitCode: exit?.exitCode,
            signal: exit?.signal.map(SignalName.of),
            cpuSeconds: exit.map { max(0, $0.cpuSeconds - max(0, remains.processorTimeBefore)) } ?? 0,
            peakResidentBytes: exit?.peakResidentBytes ?? 0,
            wallSeconds: remains.runningSince.map { max(0, (now - $0).seconds) } ?? 0,
            standardError: remains.standardError)
    }
}

enum Verdict {
    static func failure(
        of exit: ProcessExit?, _ limits: HandlerLimits, _ remains: PoolState.Remains, _ when: String
    ) -> Failure {
        if let signal = exit?.signal {
            if signal == SIGXCPU, let limit = limits.cpuSeconds {
                return Failure(
                    kind: .cpuLimit, message: "the job used more than its \(number(limit)) s of processor time")
            }
            let hint = signal == SIGKILL && remains.isMemoryShort ? ", possibly out of memory" : ""
            return Failure(
                kind: .signal, message: "the worker was killed by \(SignalName.of(signal)) \(when)\(hint)")
        }
        if let code = exit?.exitCode {
            return Failure(kind: .exit, message: "the worker exited with status \(code) \(when)")
        }
        return Failure(kind: .exit, message: "the worker went away \(when)")
    }

    /// Whole numbers without a fraction.
    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
