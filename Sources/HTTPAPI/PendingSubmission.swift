import HTTPServer
import JobModel
import JobStore
import Synchronization

/// What is answered to a submission whose sender waits for the end.
struct WaitAnswers: Sendable {
    /// The batch ended in time: the answer if it takes no more than this to make it, else nil. Called on the store's writer
    /// thread.
    var ready: @Sendable (BatchRecord, [OutcomeRun]) -> HTTPResponse? = { _, _ in nil }
    /// The batch ended in time. Called on a task thread.
    var finished: @Sendable (BatchRecord) throws(Problem) -> Void
    /// The batch is stored, but did not end in time. Called on a task thread.
    var outOfTime: @Sendable () throws(Problem) -> Void
}

extension API {
    /// Stores a batch and answers: when it is stored if `wait` is 0, else when it ended or so many seconds are over, but never
    /// before it is stored. If the client goes away meanwhile, the batch goes on.
    /// - Parameter accepted: the batch is stored; ready before it is, because the store's writer thread shall not have to make
    ///   it.
    /// - Parameter answers: is called if somebody waits.
    func submit(
        _ batch: NewBatch, for exchange: Exchange, wait: Int, accepted: HTTPResponse, _ answers: () -> WaitAnswers
    ) {
        if wait > 0 {
            submit(batch, for: exchange, wait: wait, accepted: accepted, answers())
        } else {
            configuration.store.submit(batch) { [storageLog] result in
                storageLog.note(result)
                switch result {
                case .success: exchange.respond(accepted)
                case .failure(let error): exchange.fail(.store(error))
                }
            }
        }
    }

    private func submit(
        _ batch: NewBatch, for exchange: Exchange, wait: Int, accepted: HTTPResponse, _ answers: WaitAnswers
    ) {
        let progress = SubmissionProgress()
        let ticket = waits.register(batch.id, seconds: wait) { [self] end in
            switch end {
            case .finished(let record, let outcomes):
                if let response = answers.ready(record, outcomes) {
                    exchange.respond(response)
                } else {
                    read(exchange) { () throws(Problem) in try answers.finished(record) }
                }
            case .outOfTime: if progress.isStoredAtDeadline() { read(exchange, answers.outOfTime) }
            }
        }
        exchange.responder.onDisconnect { [waits] in waits.withdraw(ticket) }
        configuration.store.submit(batch) { [waits, storageLog] result in
            storageLog.note(result)
            let isLate = progress.completeIsLate()
            switch result {
            case .success: if isLate { exchange.respond(accepted) }
            case .failure(let error): if waits.withdraw(ticket) || isLate { exchange.fail(.store(error)) }
            }
        }
    }
}

/// Decides who answers when the time to wait is up before the batch is stored: then whoever hears that it is.
private final class SubmissionProgress: Sendable {
    private enum Phase { case storing, late, stored }
    private let phase = Mutex(Phase.storing)

    func isStoredAtDeadline() -> Bool {
        phase.withLock { phase in
            guard phase == .storing else { return true }
            phase = .late
            return false
        }
    }

    func completeIsLate() -> Bool {
        phase.withLock { phase in
            defer { phase = .stored }
            return phase == .late
        }
    }
}
