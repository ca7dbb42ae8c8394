import CSystem

/// Limits that the kernel enforces on this process.
package enum ResourceLimits {
    /// How many descriptors may be open; nil if that cannot be told.
    package static var openFiles: Int? {
        let count = csystem_file_limit()
        return count > 0 ? Int(clamping: count) : nil
    }

    /// How many descriptors the system allows this process at most; nil if that cannot be told.
    package static var mostOpenFiles: Int? { hardLimit(ofTime: false) }

    /// How many seconds of processor time the system allows this process at most; nil if that cannot be told.
    package static var mostProcessorSeconds: Int? { hardLimit(ofTime: true) }

    private static func hardLimit(ofTime: Bool) -> Int? {
        let limit = csystem_hard_limit(ofTime ? 1 : 0)
        return limit > 0 ? Int(clamping: limit) : nil
    }

    /// - Parameter count: what is more than this process may allow itself counts as that.
    package static func limitOpenFiles(to count: Int) throws(SystemError) {
        guard csystem_limit_files(UInt64(max(0, count))) == 0 else { throw SystemError("setrlimit(RLIMIT_NOFILE)") }
    }

    /// SIGXCPU, which ends the process, comes when it has used so many seconds of processor time more than by now. The kernel
    /// counts whole seconds, so it may be one more. nil: never.
    package static func limitProcessorTime(toFurther seconds: Double?) throws(SystemError) {
        guard csystem_limit_cpu(seconds ?? 0) == 0 else { throw SystemError("setrlimit(RLIMIT_CPU)") }
    }
}
