import Glibc
import Logging
import Platform

/// The workers of a zygote that has died: this process has adopted them and has to reap them, and what they started.
struct Orphans {
    private static let firstInterval = TimeSpan.milliseconds(20)
    private static let longestInterval = TimeSpan(seconds: 60)

    private var groups: Set<Int32> = []
    private var interval = Orphans.firstInterval
    private(set) var nextTry: MonotonicTime?

    mutating func add(_ process: Int32) {
        groups.insert(process)
        interval = Orphans.firstInterval
        nextTry = .now()
    }

    /// Reaps those that have ended. Dying takes them a moment, and more than that in a blocked system call, so it is
    /// tried until nothing is left, less and less often.
    mutating func reap(_ logger: Logger) {
        let now = MonotonicTime.now()
        guard let nextTry, nextTry <= now else { return }
        for group in groups {
            do {
                while let exit = try ChildProcess.reap(.group(group)) {
                    logger.debug("an orphan has ended", metadata: exit.metadata)
                }
            } catch {
                logger.error("an orphan cannot be reaped", metadata: ["process": "\(group)", "error": "\(error)"])
            }
            // Zombies count as members: a group that is gone has been reaped.
            if kill(-group, 0) != 0 && errno == ESRCH { groups.remove(group) }
        }
        self.nextTry = groups.isEmpty ? nil : now + interval
        interval = min(Orphans.longestInterval, TimeSpan(nanoseconds: interval.nanoseconds * 2))
    }
}
