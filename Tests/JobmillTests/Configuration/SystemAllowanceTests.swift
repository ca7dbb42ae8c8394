import JobModel
import Testing

@testable import Jobmill

@Suite struct SystemAllowanceTests {
    @Test func limitsBeyondTheSystemsAreNamed() {
        let allowance = SystemAllowance(openFiles: 100, processorSeconds: 60)
        #expect(allowance.excesses(of: HandlerLimits(cpuSeconds: 60, openFiles: 100)).isEmpty)
        let excesses = allowance.excesses(of: HandlerLimits(cpuSeconds: 61, openFiles: 101))
        #expect(excesses.map(\.key) == ["open_files", "cpu"])
        #expect(
            excesses.map(\.sentence) == [
                "is 101, but the system allows a process 100 (ulimit -Hn)",
                "is 61.0 s, but the system allows a process 60 s (ulimit -Ht)",
            ])
        let unknown = SystemAllowance(openFiles: nil, processorSeconds: nil)
        #expect(unknown.excesses(of: HandlerLimits(cpuSeconds: 1e6, openFiles: 1 << 20)).isEmpty)
    }

    @Test func theSystemTells() {
        #expect((SystemAllowance.current.openFiles ?? 0) >= 64)
        #expect((SystemAllowance.current.processorSeconds ?? 0) >= 60)
    }
}
