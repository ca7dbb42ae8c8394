/// How a job ended, once and for all.
package enum Outcome: String, Sendable, CaseIterable {
    case succeeded, failed, cancelled, expired
}

/// How many jobs of a batch ended in which way, as recorded.
package struct OutcomeCounts: Hashable, Sendable {
    package var succeeded = 0
    package var failed = 0
    package var cancelled = 0
    package var expired = 0

    package init(succeeded: Int = 0, failed: Int = 0, cancelled: Int = 0, expired: Int = 0) {
        self.succeeded = succeeded
        self.failed = failed
        self.cancelled = cancelled
        self.expired = expired
    }

    package var finished: Int { succeeded + failed + cancelled + expired }

    package subscript(outcome: Outcome) -> Int {
        get {
            switch outcome {
            case .succeeded: succeeded
            case .failed: failed
            case .cancelled: cancelled
            case .expired: expired
            }
        }
        set {
            switch outcome {
            case .succeeded: succeeded = newValue
            case .failed: failed = newValue
            case .cancelled: cancelled = newValue
            case .expired: expired = newValue
            }
        }
    }
}
