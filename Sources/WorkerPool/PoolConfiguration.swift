package import Platform

/// How a pool of workers is set up.
package struct PoolConfiguration: Sendable {
    /// Workers, and so chunks that run at once. At least 1.
    package var slots: Int
    /// The program that becomes the zygote; it has to call `Zygote.runIfRequested` first of all.
    package var executable: String
    /// Further arguments for it, behind those that name its role.
    package var arguments: [String]
    /// From SIGTERM to SIGKILL when a running chunk is cancelled.
    package var gracePeriod: TimeSpan
    /// A larger result fails its job.
    package var maximumResultBytes: Int

    package init(
        slots: Int = CPUAllowance.current(), executable: String = "/proc/self/exe", arguments: [String] = [],
        gracePeriod: TimeSpan = TimeSpan(seconds: 10), maximumResultBytes: Int = 64 << 20
    ) {
        self.slots = max(1, slots)
        self.executable = executable
        self.arguments = arguments
        self.gracePeriod = gracePeriod
        self.maximumResultBytes = maximumResultBytes
    }
}
