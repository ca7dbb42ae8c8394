import HTTPClient
package import JobModel
package import JobStore

/// What one try of a delivery met.
package enum DeliveryOutcome: Hashable, Sendable {
    /// The endpoint answered.
    case answered(status: Int, retryAfter: String?)
    /// No answer came; a later try may fare better.
    case unanswered(String)
    /// No later try can fare better.
    case undeliverable(String)
}

/// What follows from a try: delivered, again later, or given up.
package enum DeliveryDecision {
    /// No endpoint can put a delivery off for longer, in seconds.
    package static let maximumRetryAfter: Double = 86_400

    package static func attempt(
        of delivery: Delivery, outcome: DeliveryOutcome, schedule: RetrySchedule, now: Timestamp,
        using random: inout some RandomNumberGenerator
    ) -> DeliveryAttempt {
        func retry(status: Int?, error: String, notBefore earliest: Double = 0) -> DeliveryAttempt {
            guard let delay = schedule.delay(afterAttempts: delivery.attempts + 1, using: &random) else {
                return DeliveryAttempt(id: delivery.id, result: .failed, status: status, error: error)
            }
            let time = now.advanced(bySeconds: max(delay, earliest))
            return DeliveryAttempt(id: delivery.id, result: .retry(at: time), status: status, error: error)
        }

        switch outcome {
        case .undeliverable(let error):
            return DeliveryAttempt(id: delivery.id, result: .failed, status: nil, error: error)
        case .unanswered(let error):
            return retry(status: nil, error: error)
        case .answered(let status, _) where (200...299).contains(status):
            return DeliveryAttempt(id: delivery.id, result: .delivered, status: status, error: nil)
        case .answered(410, _):
            return DeliveryAttempt(
                id: delivery.id, result: .failed, status: 410, error: "the endpoint answered 410: it is gone for good")
        case .answered(let status, let retryAfter) where [429, 502, 503, 504].contains(status):
            let wait = retryAfter.flatMap { RetryAfter.seconds($0, now: now) } ?? 0
            return retry(
                status: status, error: "the endpoint answered \(status)", notBefore: min(wait, maximumRetryAfter))
        case .answered(let status, _) where (300...399).contains(status):
            return retry(status: status, error: "the endpoint answered \(status): redirects are not followed")
        case .answered(let status, _):
            return retry(status: status, error: "the endpoint answered \(status)")
        }
    }
}

/// The `Retry-After` header of RFC 9110: a number of seconds, or a date.
package enum RetryAfter {
    /// Seconds from now, never negative; nil if the text is neither.
    package static func seconds(_ text: String, now: Timestamp) -> Double? {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return Double(text) }
        return HTTPDate.unixSeconds(text).map { max(0, Double($0) - Double(now.microseconds) / 1e6) }
    }
}
