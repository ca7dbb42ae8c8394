import Glibc
import Testing

@testable import Platform

@Suite struct ProcessStatusTests {
    @Test func seesThisProcess() throws {
        #expect(try #require(ProcessStatus.residentBytes(of: getpid())) > 1 << 20)
        #expect(ProcessStatus.isStopped(getpid()) == false)
        #expect(ProcessStatus.residentBytes(of: 1 << 30) == nil)
        #expect(ProcessStatus.isStopped(1 << 30) == nil)
    }

    @Test func seesAStoppedChild() throws {
        let pair = try SocketPair()
        let process = try ChildProcess.spawn(
            "/bin/sh", arguments: ["sh) T (", "-c", "kill -STOP $$"], environment: ["JOBMILL_STATUS": "a=b"],
            channel: pair.left)
        defer { _ = try? ChildProcess.awaitEnd(of: process, atMost: TimeSpan(seconds: 10)) }
        defer { ChildProcess.signalGroup(process, SIGKILL) }
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 30)
        while ProcessStatus.isStopped(process) != true {
            try #require(MonotonicTime.now() < deadline)
            usleep(1000)
        }
        #expect(ProcessStatus.children().contains(process))
        #expect(ProcessStatus.hasEnvironmentEntry("JOBMILL_STATUS=a=b", process))
        #expect(!ProcessStatus.hasEnvironmentEntry("JOBMILL_STATUS=a", process))
    }
}

@Suite struct PeakTests {
    @Test func outlivesTheProcessUntilItIsReaped() throws {
        let pair = try SocketPair()
        let process = try ChildProcess.spawn("/bin/true", arguments: ["true"], environment: [:], channel: pair.left)
        var info = siginfo_t()
        #expect(waitid(P_PID, id_t(process), &info, WEXITED | WNOWAIT) == 0)
        #expect(try #require(ProcessStatus.peakResidentBytes(of: process)) > 100_000)
        _ = try ChildProcess.reap(.process(process))
        #expect(ProcessStatus.peakResidentBytes(of: process) == nil)
    }
}

@Suite struct MemoryShortageTests {
    @Test func findsTheCount() {
        #expect(MemoryShortage.kills(in: "low 0\nhigh 0\nmax 5\noom 1\noom_kill 3\noom_group_kill 0\n") == 3)
        #expect(MemoryShortage.kills(in: "oom_kill_disable 0\nunder_oom 0\noom_kill 12\n") == 12)
        #expect(MemoryShortage.kills(in: "") == nil)
    }

    @Test func withoutControlGroupsNothingIsKnown() {
        var shortage = MemoryShortage(rootedAt: "/does/not/exist")
        let hasStruck = shortage.hasStruck()
        #expect(!hasStruck)
    }
}

@Suite struct PipeTests {
    @Test func readsWithoutBlocking() throws {
        let (reading, writing) = try Pipe().split()
        let end = Descriptor(adopting: reading)
        var buffer = [UInt8](repeating: 0, count: 10)
        func read() -> SocketTransfer.Received { buffer.withUnsafeMutableBytes { Pipe.read(end.rawValue, into: $0) } }
        #expect(read() == .nothing)
        #expect(write(writing, "abc", 3) == 3)
        #expect(read() == .bytes(3))
        #expect(buffer[..<3] == [0x61, 0x62, 0x63])
        #expect(fcntl(end.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        close(writing)
        #expect(read() == .end)
    }
}
