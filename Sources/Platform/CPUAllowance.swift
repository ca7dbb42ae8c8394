import CSystem
import Glibc

/// How many CPUs this process may use: the smaller of its affinity mask and its cgroup's quota, at least 1.
package enum CPUAllowance {
    package static func current() -> Int {
        let quota = quotaVersion2(rootedAt: "/sys/fs/cgroup") ?? quotaVersion1(rootedAt: "/sys/fs/cgroup")
        return combine(affinity: affinityCount(), quota: quota)
    }

    /// A quota of 1.5 CPUs allows two: the second is used half of the time.
    package static func combine(affinity: Int, quota: Double?) -> Int {
        max(1, min(affinity, quota.map { Int($0.rounded(.up)) } ?? affinity))
    }

    /// `cpu.max` holds `max 100000` or `150000 100000`: microseconds of CPU per period.
    package static func parseQuota(version2 text: String) -> Double? {
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count == 2, let quota = Double(fields[0]), let period = Double(fields[1]), period > 0 else {
            return nil
        }
        return quota / period
    }

    /// `cpu.cfs_quota_us` is -1 without a quota.
    package static func parseQuota(version1 quota: String, period: String) -> Double? {
        guard let quota = Double(trimmed(quota)), let period = Double(trimmed(period)), quota > 0, period > 0 else {
            return nil
        }
        return quota / period
    }

    private static func affinityCount() -> Int {
        let count = Int(csystem_affinity_count())
        return count > 0 ? count : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// The own cgroup of version 2 (`0::PATH`), or that of version 1 which has the controller of CPUs (`4:cpu,cpuacct:PATH`).
    package static func path(version: Int, in membership: String) -> String? {
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isRight = version == 2 ? fields[0] == "0" : fields[1].split(separator: ",").contains("cpu")
            if isRight { return String(fields[2]) }
        }
        return nil
    }

    private static func quotaVersion2(rootedAt root: String) -> Double? {
        guard let membership = SmallFile.read("/proc/self/cgroup"), let path = path(version: 2, in: membership) else {
            return nil
        }
        return tightest(upwardsFrom: path) { path in
            SmallFile.read("\(root)\(path)/cpu.max").flatMap(parseQuota(version2:))
        }
    }

    private static func quotaVersion1(rootedAt root: String) -> Double? {
        let membership = SmallFile.read("/proc/self/cgroup") ?? ""
        let folders = ["cpu", "cpu,cpuacct"].map { (name: String) -> String in "\(root)/\(name)" }
        guard let folder = folders.first(where: { (path: String) -> Bool in access(path, F_OK) == 0 }) else {
            return nil
        }
        // In a container the path may be one that only the host has; its root is the container's then.
        return tightest(upwardsFrom: path(version: 1, in: membership) ?? "") { path in
            guard let quota = SmallFile.read("\(folder)\(path)/cpu.cfs_quota_us"),
                let period = SmallFile.read("\(folder)\(path)/cpu.cfs_period_us")
            else { return nil }
            return parseQuota(version1: quota, period: period)
        }
    }

    /// The own cgroup and each of its parents may carry a quota; the tightest counts.
    private static func tightest(upwardsFrom path: String, _ quota: (String) -> Double?) -> Double? {
        var path = path
        var tightest: Double?
        while true {
            if let quota = quota(path) { tightest = min(tightest ?? quota, quota) }
            guard let slash = path.lastIndex(of: "/") else { return tightest }
            path = String(path[..<slash])
        }
    }

    private static func trimmed(_ text: String) -> String { text.filter { !$0.isWhitespace } }
}
