import Logging
import Platform

/// The workers of a zygote that has died: this process has adopted them and has to reap them, and what they started.
struct Orphans {
    private static let interval = TimeSpan.milliseconds(20)
    private static let patience = TimeSpan(seconds: 2)

    private var groups: [Int32: MonotonicTime] = [:]
    private(set) var nextTry: MonotonicTime?

    mutating func add(_ process: Int32) {
        let now = MonotonicTime.now()
        groups[process] = now + Orphans.patience
        nextTry = now
    }

    /// Reaps those that have ended. Dying takes them a moment, so it is tried for a while.
    mutating func reap(_ logger: Logger) {
        let now = MonotonicTime.now()
        guard let nextTry, nextTry <= now else { return }
        for (group, end) in groups {
            do {
                while let exit = try ChildProcess.reap(.group(group)) {
                    logger.debug("an orphan has ended", metadata: exit.metadata)
                }
            } catch {
                logger.error("an orphan cannot be reaped", metadata: ["process": "\(group)", "error": "\(error)"])
            }
            if end <= now { groups[group] = nil }
        }
        self.nextTry = groups.isEmpty ? nil : now + Orphans.interval
    }
}
