package import Platform

/// How a pool of workers is set up.
package struct PoolConfiguration: Sendable {
    /// Workers, and so chunks that run at once, over all runtimes. At least 1; nil: as many as processors may be used, also
    /// when that changes.
    package var slots: Int?
    /// What `maximumResultBytes` is if nobody says otherwise.
    package static let largestResult = 64 << 20

    /// At least one; each handler is in one of them. The workers of the first are forked in advance.
    package var runtimes: [RuntimeDefinition]
    /// From SIGTERM to SIGKILL when a running chunk is cancelled.
    package var gracePeriod: TimeSpan
    /// A larger result fails its job.
    package var maximumResultBytes: Int
    /// Where the control groups are mounted, in which the kernel says that it has killed somebody because memory was short.
    package var controlGroups: String

    package init(
        slots: Int? = nil, runtimes: [RuntimeDefinition], gracePeriod: TimeSpan = TimeSpan(seconds: 10),
        maximumResultBytes: Int = PoolConfiguration.largestResult, controlGroups: String = MemoryShortage.usualRoot
    ) {
        self.slots = slots
        self.runtimes = runtimes
        self.gracePeriod = gracePeriod
        self.maximumResultBytes = maximumResultBytes
        self.controlGroups = controlGroups
    }
}
