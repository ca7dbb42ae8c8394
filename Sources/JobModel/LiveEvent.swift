/// What happens to jobs while they run, for whoever watches. It is told once and kept nowhere.
package enum LiveEvent: Sendable, Hashable {
    /// Jobs of these batches began to run, came back, or have got their outcome.
    case changed([BatchID])
    case progress(JobID, JobProgress)
    case logged(JobID, attempt: Int, [LogLine])
    /// How many lines of this try were not kept so far.
    case dropped(JobID, attempt: Int, count: Int)
}

/// Hears of what happens to jobs while they run: hand it on, do not block.
package protocol LiveObserver: AnyObject, Sendable {
    /// Whether anybody watches; if not, events need not be made.
    var isWatching: Bool { get }
    func observe(_ event: LiveEvent)
}
