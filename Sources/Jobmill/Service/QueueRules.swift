import JobStore
import Logging
import Platform

/// Puts what the configuration says of queues in force.
enum QueueRules {
    /// Waits until all of it is stored. Without room for it the queues stay as they are, so that the service can start all the same.
    static func apply(_ rules: [QueueRule], to store: any QueueKeeping, logger: Logger) throws(StoreError) {
        for rule in rules {
            let answer = Monitor<Result<QueueRecord, StoreError>?>(nil)
            store.changeQueue(rule.name, rule.change) { result in
                answer.withLock { $0 = result }
                answer.notifyAll()
            }
            // The store answers every operation, a closed one and a broken one too.
            let result = answer.wait { result in result.map { .done($0) } ?? .sleep(until: nil) }
            switch result {
            case .success: break
            case .failure(.full(let detail)):
                logger.error(
                    "what the configuration says of a queue cannot be stored",
                    metadata: ["queue": "\(rule.name)", "detail": "\(detail)"])
            case .failure(let error): throw error
            }
        }
    }
}
