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

    /// The own cgroup and each of its parents may carry a quota; the tightest counts.
    private static func quotaVersion2(rootedAt root: String) -> Double? {
        guard let membership = SmallFile.read("/proc/self/cgroup"),
            let line = membership.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return nil }
        var path = String(line.dropFirst(3))
        var tightest: Double?
        while true {
            if let text = SmallFile.read(root + path + "/cpu.max"), let quota = parseQuota(version2: text) {
                tightest = min(tightest ?? quota, quota)
            }
            guard let slash = path.lastIndex(of: "/") else { return tightest }
            path = String(path[..<slash])
        }
    }

    private static func quotaVersion1(rootedAt root: String) -> Double? {
        for folder in ["cpu", "cpu,cpuacct"] {
            if let quota = SmallFile.read("\(root)/\(folder)/cpu.cfs_quota_us"),
                let period = SmallFile.read("\(root)/\(folder)/cpu.cfs_period_us")
            {
                return parseQuota(version1: quota, period: period)
            }
        }
        return nil
    }

    private static func trimmed(_ text: String) -> String { text.filter { !$0.isWhitespace } }
}
