/// Why the store could not do what it was asked.
package enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The disk is full or over its watermark: nothing was stored, reading goes on.
    case full(String)
    /// Another process has this store open.
    case locked(String)
    /// The file is no store of Jobmill, is damaged, or comes from a newer version.
    case unusable(String)
    /// As many queues are in use as may be: nothing was stored.
    case crowded(String)
    /// The request contradicts what is stored, such as a second outcome for a job.
    case conflict(String)
    /// The store is being closed.
    case closed
    /// An input or output error: whether the last commit survived is unknown, so the service must stop and start anew.
    case broken(String)

    package var description: String {
        switch self {
        case .full(let detail): "the store is full: \(detail)"
        case .locked(let detail): "the store is in use: \(detail)"
        case .unusable(let detail): "the store cannot be used: \(detail)"
        case .crowded(let detail): "too many queues are in use: \(detail)"
        case .conflict(let detail): "the store refused a contradiction: \(detail)"
        case .closed: "the store is closed"
        case .broken(let detail): "the store failed: \(detail)"
        }
    }
}
