import JobModel
import Platform

/// What the system allows this process, and with it the workers. A limit that is beyond it would never be reached.
struct SystemAllowance {
    /// nil: it cannot be told.
    var openFiles: Int?
    var processorSeconds: Int?

    static var current: SystemAllowance {
        SystemAllowance(
            openFiles: ResourceLimits.mostOpenFiles, processorSeconds: ResourceLimits.mostProcessorSeconds)
    }

    /// The limits that are beyond it: the key of each in the configuration, and a sentence without its subject.
    func excesses(of limits: HandlerLimits) -> [(key: String, sentence: String)] {
        var excesses: [(key: String, sentence: String)] = []
        if let count = limits.openFiles, let openFiles, count > openFiles {
            excesses.append(("open_files", "is \(count), but the system allows a process \(openFiles) (ulimit -Hn)"))
        }
        if let seconds = limits.cpuSeconds, let processorSeconds, seconds > Double(processorSeconds) {
            excesses.append(
                ("cpu", "is \(seconds) s, but the system allows a process \(processorSeconds) s (ulimit -Ht)"))
        }
        return excesses
    }
}
