import HTTPServer
import JobModel
import JobStore
import Synchronization

/// What is answered to a submission, depending on how far it came. The closures are called on a task thread.
struct SubmissionAnswers: Sendable {
    /// The batch is stored; ready before it is, because the store's writer thread shall not have to make it.
    var accepted: HTTPResponse
    /// The batch ended in time.
    var finished: @Sendable (BatchRecord) throws(Problem) -> Void
    /// The batch is stored, but did not end in time.
    var outOfTime: @Sendable () throws(Problem) -> Void
}

extension API {
    /// Stores a batch and answers: when it is stored if `wait` is 0, else when it ended or so many seconds are over, but never
    /// before it is stored. If the client goes away meanwhile, the batch goes on.
    func submit(_ batch: NewBatch, for exchange: Exchange, wait: Int, _ answers: SubmissionAnswers) {
        guard wait > 0 else {
            configuration.store.submit(batch) { result in
                switch result {
                case .success: exchange.respond(answers.accepted)
                case .failure(let error): exchange.fail(.store(error))
                }
            }
            return
        }
        let progress = SubmissionProgress()
        let ticket = waits.register(batch.id, seconds: wait) { [self] end in
            switch end {
            case .finished(let record): read(exchange) { () throws(Problem) in try answers.finished(record) }
            case .outOfTime: if progress.isStoredAtDeadline() { read(exchange, answers.outOfTime) }
            }
        }
        exchange.responder.onDisconnect { [waits] in waits.withdraw(ticket) }
        configuration.store.submit(batch) { [waits] result in
            let isLate = progress.completeIsLate()
            switch result {
            case .success: if isLate { exchange.respond(answers.accepted) }
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
