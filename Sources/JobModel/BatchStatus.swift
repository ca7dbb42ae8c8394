/// Where a batch stands, as clients see it.
package enum BatchStatus: String, Sendable, CaseIterable {
    case scheduled, queued, running, completed, cancelling, cancelled, expired

    /// Every job of the batch has its outcome.
    package var isFinal: Bool {
        switch self {
        case .completed, .cancelled, .expired: true
        case .scheduled, .queued, .running, .cancelling: false
        }
    }
}
