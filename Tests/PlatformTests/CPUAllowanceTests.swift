import Platform
import Testing

@Suite struct CPUAllowanceTests {
    @Test(
        arguments: [
            (8, nil, 8), (8, 2.0, 2), (8, 1.5, 2), (1, 4.0, 1), (4, 0.25, 1), (0, nil, 1),
        ] as [(Int, Double?, Int)])
    func `the smaller of affinity and quota counts, rounded up, at least one`(
        affinity: Int, quota: Double?, expected: Int
    ) {
        #expect(CPUAllowance.combine(affinity: affinity, quota: quota) == expected)
    }

    @Test func `cgroup files are read as the kernel writes them`() {
        #expect(CPUAllowance.parseQuota(version2: "max 100000\n") == nil)
        #expect(CPUAllowance.parseQuota(version2: "150000 100000\n") == 1.5)
        #expect(CPUAllowance.parseQuota(version2: "nonsense") == nil)
        #expect(CPUAllowance.parseQuota(version1: "-1\n", period: "100000\n") == nil)
        #expect(CPUAllowance.parseQuota(version1: "200000\n", period: "100000\n") == 2)
    }

    @Test func `the own cgroup is found in the list`() {
        let list = "9:name=systemd:/\n4:cpu,cpuacct:/docker/ab:c\n3:cpuset:/x\n0::/system.slice/j.service\n"
        #expect(CPUAllowance.path(version: 1, in: list) == "/docker/ab:c")
        #expect(CPUAllowance.path(version: 2, in: list) == "/system.slice/j.service")
        #expect(CPUAllowance.path(version: 1, in: "0::/\n") == nil)
        #expect(CPUAllowance.path(version: 2, in: "1:cpu:/\n") == nil)
    }

    @Test func `this process may use at least one CPU`() {
        #expect(CPUAllowance.current() >= 1)
    }
}
