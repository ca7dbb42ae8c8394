/// Tells whether the kernel has killed processes of this container because its memory was used up.
package struct MemoryShortage: Sendable {
    private let file: String?
    private var kills: Int

    package static let usualRoot = "/sys/fs/cgroup"

    /// - Parameter root: where the control groups are mounted.
    package init(rootedAt root: String) {
        let group = SmallFile.read("/proc/self/cgroup")?.split(separator: "\n").first { $0.hasPrefix("0::") }
        let candidates =
            [group.map { "\(root)\($0.dropFirst(3))/memory.events" }, "\(root)/memory.events"].compactMap { $0 }
            + ["\(root)/memory/memory.oom_control"]
        file = candidates.first { MemoryShortage.kills(in: SmallFile.read($0) ?? "") != nil }
        kills = file.flatMap { MemoryShortage.kills(in: SmallFile.read($0) ?? "") } ?? 0
    }

    /// Whether it has done so since the last call, or since the beginning.
    package mutating func hasStruck() -> Bool {
        guard let file, let now = MemoryShortage.kills(in: SmallFile.read(file) ?? "") else { return false }
        defer { kills = now }
        return now > kills
    }

    /// The line `oom_kill 3` of `memory.events` or `memory.oom_control`.
    package static func kills(in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2, fields[0] == "oom_kill" { return Int(fields[1]) }
        }
        return nil
    }
}
