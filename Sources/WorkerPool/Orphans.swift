import Glibc
import Logging
import Platform

/// The workers of a zygote that has died, and what they started: this process has adopted them and has to kill and reap them.
struct Orphans {
    private static let firstInterval = TimeSpan.milliseconds(20)
    private static let longestInterval = TimeSpan(seconds: 60)
    /// How long descendants of a dead zygote may turn up: each comes when its own parent has died, which on a busy machine takes a while.
    private static let lateness = TimeSpan(seconds: 20)

    private var groups: Set<Int32> = []
    /// What is in the environment of a dead zygote's descendants, and until when to look for them.
    private var marks: [String: MonotonicTime] = [:]
    private var interval = Orphans.firstInterval
    private(set) var nextTry: MonotonicTime?

    var isEmpty: Bool { groups.isEmpty && marks.isEmpty }

    /// - Parameter process: the leader of its group.
    mutating func add(_ process: Int32) {
        groups.insert(process)
        hurry()
    }

    /// A zygote has died: those of its descendants that have left their groups are known by what is in their environment.
    mutating func add(mark: String) {
        marks[mark] = .now() + Orphans.lateness
        hurry()
    }

    private mutating func hurry() {
        interval = Orphans.firstInterval
        nextTry = .now()
    }

    /// Reaps those that have ended. Dying takes them a moment, and more than that in a blocked system call, so it is
    /// tried until nothing is left, less and less often.
    mutating func reap(_ logger: Logger) {
        let now = MonotonicTime.now()
        guard let nextTry, nextTry <= now else { return }
        findMarked(now)
        for group in groups {
            ChildProcess.signalGroup(group, SIGKILL)
            do {
                while let exit = try ChildProcess.reap(.group(group)) {
                    logger.debug("an orphan has ended", metadata: exit.metadata)
                }
                // One that has changed its group is no member of it, but still a child.
                if let exit = try ChildProcess.reap(.process(group)) {
                    logger.debug("an orphan has ended", metadata: exit.metadata)
                }
            } catch {
                logger.error("an orphan cannot be reaped", metadata: ["process": "\(group)", "error": "\(error)"])
            }
            // Zombies count as members: a group that is gone has been reaped.
            if kill(-group, 0) != 0 && errno == ESRCH && kill(group, 0) != 0 { groups.remove(group) }
        }
        self.nextTry = isEmpty ? nil : now + interval
        interval = min(Orphans.longestInterval, TimeSpan(nanoseconds: interval.nanoseconds * 2))
    }

    private mutating func findMarked(_ now: MonotonicTime) {
        guard !marks.isEmpty else { return }
        for process in ProcessStatus.children() where !groups.contains(process) {
            guard marks.keys.contains(where: { ProcessStatus.hasEnvironmentEntry($0, process) }) else { continue }
            ChildProcess.signal(process, SIGKILL)
            groups.insert(process)
        }
        marks = marks.filter { $0.value > now }
    }
}
