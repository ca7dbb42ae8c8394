import JobStore
import Logging
import Platform

/// Puts what the configuration says of queues in force.
enum QueueRules {
    /// Waits until all of it is stored. Without room for a rule its queue stays as it is, so that the service can start all the same.
    /// - Parameter known: what is in force already. It is not stored again: that would undo what was changed through the API.
    /// - Returns: the rules that are in force from now on.
    static func apply(
        _ rules: [QueueRule], over known: [QueueRule] = [], to store: any QueueKeeping, logger: Logger
    ) throws(StoreError) -> [QueueRule] {
        var inForce = rules.filter(known.contains)
        for rule in rules where !known.contains(rule) {
            let answer = Monitor<Result<QueueRecord, StoreError>?>(nil)
            store.changeQueue(rule.name, rule.change) { result in
                answer.withLock { $0 = result }
                answer.notifyAll()
            }
            // The store answers every operation, a closed one and a broken one too.
            let result = answer.wait { result in result.map { .done($0) } ?? .sleep(until: nil) }
            switch result {
            case .success: inForce.append(rule)
            case .failure(.full(let detail)), .failure(.crowded(let detail)):
                logger.error(
                    "what the configuration says of a queue cannot be stored",
                    metadata: ["queue": "\(rule.name)", "detail": "\(detail)"])
            case .failure(let error): throw error
            }
        }
        return inForce
    }
}
