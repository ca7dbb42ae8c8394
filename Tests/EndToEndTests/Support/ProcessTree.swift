import Foundation
import Platform

/// Reads `/proc` to find what a server started.
enum ProcessTree {
    static func descendants(of ancestor: Int32) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        var found: Set<Int32> = [ancestor]
        var grew = true
        let parents = all.compactMap { pid in parent(of: pid).map { (pid, $0) } }
        while grew {
            grew = false
            for (pid, parent) in parents where found.contains(parent) && found.insert(pid).inserted { grew = true }
        }
        found.remove(ancestor)
        return found.sorted()
    }

    /// Neither gone nor a zombie.
    static func isAlive(_ pid: Int32) -> Bool {
        guard let state = fields(of: pid)?.first else { return false }
        return state != "Z" && state != "X"
    }

    /// User and system time in clock ticks.
    static func processorTicks(of pid: Int32) -> Int? {
        guard let fields = fields(of: pid), fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12])
        else {
            return nil
        }
        return user + system
    }

    private static func parent(of pid: Int32) -> Int32? {
        fields(of: pid).flatMap { $0.count > 1 ? Int32($0[1]) : nil }
    }

    /// What follows the command name in `/proc/PID/stat`, from the state on.
    private static func fields(of pid: Int32) -> [Substring]? {
        guard let text = SmallFile.read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }
}
