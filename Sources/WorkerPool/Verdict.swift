import JobModel
import Platform

extension PoolState.Worker {
    /// Why the chunk of a dead worker did not come to its end, and who is charged for it.
    func verdict(on work: PoolState.Work, _ remains: PoolState.Remains, now: MonotonicTime) -> ChunkEnd {
        let position = remains.finished
        guard position < work.chunk.count else { return .completed(busy: (now - work.assignedAt).seconds) }
        let failure: Failure
        switch killReason {
        case .cancelled, .stopped, .unresponsive:
            return .returned
        case .timeout(let late):
            // If the job came to its end between the decision and the signal, another one was hit, which was not late.
            guard late == position else { return .returned }
            let limit = Verdict.number(work.chunk.timeout ?? 0)
            failure = Failure(kind: .timeout, message: "the job ran longer than its time-out of \(limit) s")
        case .violation(let what):
            failure = Failure(
                kind: .signal, message: "the worker broke the protocol while it ran this job (\(what)) and was killed")
        case nil:
            // With the zygote, the workers die; and a worker that dies between jobs dies for reasons of its own.
            guard !isOrphan, remains.runningSince != nil else { return .returned }
            failure = Verdict.failure(of: exit)
        }
        var charged = failure
        charged.death = certificate(remains, now: now)
        return .interrupted(position: position, failure: charged)
    }

    private func certificate(_ remains: PoolState.Remains, now: MonotonicTime) -> DeathCertificate? {
        guard let processID else { return nil }
        return DeathCertificate(
            processID: processID,
            exitCode: exit?.exitCode,
            signal: exit?.signal.map(SignalName.of),
            cpuSeconds: exit?.cpuSeconds ?? 0,
            peakResidentBytes: exit?.peakResidentBytes ?? 0,
            wallSeconds: remains.runningSince.map { max(0, (now - $0).seconds) } ?? 0)
    }
}

private enum Verdict {
    static func failure(of exit: ProcessExit?) -> Failure {
        if let signal = exit?.signal {
            return Failure(
                kind: .signal, message: "the worker was killed by \(SignalName.of(signal)) while it ran this job")
        }
        if let code = exit?.exitCode {
            return Failure(kind: .exit, message: "the worker exited with status \(code) while it ran this job")
        }
        return Failure(kind: .exit, message: "the worker went away while it ran this job")
    }

    /// Whole numbers without a fraction.
    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
