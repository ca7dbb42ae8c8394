import Glibc
import JobModel
import Platform
import Testing

@testable import WorkerPool

/// Limits of handlers, and workers that stand still, against real processes.
@Suite struct LimitsTests {
    private func profile(_ name: String, _ limits: HandlerLimits) -> HandlerProfile {
        HandlerProfile(name: name, limits: limits)
    }

    @Test func tooMuchMemoryIsItsJobsFault() throws {
        let test = try TestPool(rules: [profile("grow", HandlerLimits(residentBytes: 200 << 20))])
        let (position, failure) = try test.interruption(TestPool.chunk(1, "grow", ["0", String(300 << 20), "0"]))
        #expect(position == 1)
        #expect(failure.kind == .memoryLimit)
        let death = try #require(failure.death)
        #expect(death.signal == "SIGKILL")
        #expect(death.peakResidentBytes > 200 << 20)
        #expect(try test.run(TestPool.chunk(2, "square", ["3"])).results == ["9"])
    }

    @Test func whatStaysBelowItsLimitIsLeftAlone() throws {
        let test = try TestPool(rules: [profile("sleep", HandlerLimits(residentBytes: 1 << 30))])
        #expect(try test.run(TestPool.chunk(1, "sleep", ["0.2"])).results == ["0.2"])
    }

    @Test func theHandlersTimeOutCountsToo() throws {
        let test = try TestPool(rules: [profile("sleep", HandlerLimits(timeout: 0.3))])
        let (position, failure) = try test.interruption(TestPool.chunk(1, "sleep", ["0.01", "60"], timeout: 50))
        #expect(position == 1)
        #expect(failure.kind == .timeout)
        #expect(failure.message == "the job ran longer than its time-out of 0.3 s")
    }

    @Test func tooMuchProcessorTimeIsItsJobsFault() throws {
        let test = try TestPool(rules: [profile("spin", HandlerLimits(cpuSeconds: 1))])
        let (position, failure) = try test.interruption(TestPool.chunk(1, "spin", ["0", "0"], timeout: 100))
        #expect(position == 0)
        #expect(failure.kind == .cpuLimit)
        #expect(failure.message == "the job used more than its 1 s of processor time")
        #expect(failure.death?.signal == "SIGXCPU")
    }

    @Test func openFilesAreLimited() throws {
        let test = try TestPool(rules: [profile("files", HandlerLimits(openFiles: 10))])
        let opened = try #require(Int(try test.run(TestPool.chunk(1, "files", ["100"])).results[0] ?? ""))
        #expect(opened > 0 && opened < 10)
    }

    @Test func aResultOfItsHandlersSizeIsTheLargest() throws {
        let test = try TestPool(rules: [profile("letters", HandlerLimits(outputBytes: 100))])
        let report = try test.run(TestPool.chunk(1, "letters", ["98", "99"]))
        #expect(report.results.map { $0?.utf8.count } == [100, nil])
        guard case .failure(let failure) = report.jobs[1] else {
            Issue.record("\(report.jobs[1])")
            return
        }
        #expect(failure.kind == .outputLimit)
    }

    @Test func aStoppedWorkerIsNoticed() throws {
        let test = try TestPool()
        let (position, failure) = try test.interruption(TestPool.chunk(1, "freeze", ["0", "0"]))
        #expect(position == 0)
        #expect(failure.kind == .signal)
        #expect(failure.message.contains("stopped the worker"))
        #expect(failure.death?.signal == "SIGKILL")
    }

    @Test func aWorkerThatIsStoppedWhileIdleCostsNoAttempt() throws {
        let test = try TestPool()
        let worker = try #require(Int32(try test.run(TestPool.chunk(1, "whoami", ["0"])).results[0] ?? ""))
        kill(worker, SIGSTOP)
        try eventually("it is stopped") { ProcessStatus.isStopped(worker) == true }
        guard case .lost = try test.run(TestPool.chunk(2, "whoami", ["0"])).end else {
            Issue.record("no job ran")
            return
        }
        #expect(try test.run(TestPool.chunk(3, "square", ["3"])).results == ["9"])
        #expect(!exists(worker))
    }

    @Test func aWorkerThatCannotBeTermedIsKilledWithAllItStarted() throws {
        let test = try TestPool(gracePeriod: 0.2)
        let grandchild = try #require(Int32(try test.run(TestPool.chunk(1, "parent", ["false"])).results[0] ?? ""))
        test.pool.run(TestPool.chunk(2, "stubborn", ["0"]))
        let begin = MonotonicTime.now()
        try eventually("it runs") { test.pool.snapshot().workers.contains { $0.job != nil } }
        test.pool.cancel(2)
        _ = try test.report(of: 2)
        #expect((MonotonicTime.now() - begin).seconds < 5)
        try eventually("the grandchild is gone") { !exists(grandchild) }
    }
}

extension TestPool {
    /// Runs a chunk that has to be interrupted.
    func interruption(_ chunk: Chunk) throws -> (position: Int, failure: Failure) {
        let report = try run(chunk)
        guard case .interrupted(let position, let failure) = report.end else {
            throw StateHarness.Unexpected(end: report.end)
        }
        return (position, failure)
    }
}
