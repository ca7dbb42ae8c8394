import Foundation
import Glibc
import JobModel
import Platform
import Testing

@testable import WorkerPool

@Suite struct DeathTests {
    private func interruption(_ report: TestPool.Report) throws -> (position: Int, failure: Failure) {
        guard case .interrupted(let position, let failure) = report.end else {
            throw Unexpected(end: report.end)
        }
        return (position, failure)
    }

    private struct Unexpected: Error {
        let end: ChunkEnd
    }

    @Test func aCrashCostsOnlyTheJobThatCrashed() throws {
        let test = try TestPool()
        // null is the payload that lets `crash` raise SIGSEGV; SIGCHLD is survived, as a failure.
        var payloads = [String](repeating: "\"SIGCHLD\"", count: 1000)
        payloads[637] = "null"
        let report = try test.run(TestPool.chunk(1, "crash", payloads))
        #expect(report.jobs.count == 637)
        let (position, failure) = try interruption(report)
        #expect(position == 637)
        #expect(failure.kind == .signal)
        #expect(failure.message == "the worker was killed by SIGSEGV while it ran this job")
        let death = try #require(failure.death)
        #expect(death.signal == "SIGSEGV")
        #expect(death.exitCode == nil)
        #expect(death.processID > 1)
        #expect(death.peakResidentBytes > 1 << 20)
        #expect(death.cpuSeconds > 0)

        let rest = Chunk(
            id: 2, handler: "crash", timeout: nil,
            parts: [TestPool.part(Array(payloads[638...]), first: 638)])
        let second = try test.run(rest)
        #expect(second.jobs.count == 362)
        guard case .completed = second.end else { throw Unexpected(end: second.end) }
        #expect(!exists(death.processID), "the dead worker is reaped")
    }

    @Test func aCertificateTellsOfTheJobAlone() throws {
        let test = try TestPool()
        let report = try test.run(TestPool.chunk(1, "spender", ["false", "true"]))
        #expect(report.jobs.count == 1)
        let death = try #require(try interruption(report).failure.death)
        #expect(death.cpuSeconds >= 0 && death.cpuSeconds < 0.4)
        #expect(death.peakResidentBytes > 1 << 20 && death.peakResidentBytes < 150 << 20)
        #expect(death.standardError == "last words")
    }

    @Test func aFailureHasACertificateToo() throws {
        let test = try TestPool(maximumResultBytes: 100)
        let worker = try test.run(TestPool.chunk(1, "whoami", ["0"])).results[0]
        let report = try test.run(TestPool.chunk(2, "regret", ["\"one\"", "\"two\"", "\"\"", "\"three\""]))
        let failures = report.jobs.compactMap { if case .failure(let failure) = $0 { failure } else { nil } }
        #expect(failures.map(\.message) == ["one", "two", "", "three"])
        #expect(failures.map { $0.death?.standardError } == ["one", "two", nil, "three"])
        for failure in failures {
            let death = try #require(failure.death)
            #expect(String(death.processID) == worker)
            #expect(death.exitCode == nil && death.signal == nil)
            #expect(death.cpuSeconds > 0.04 && death.cpuSeconds < 0.15)
            #expect(death.wallSeconds > 0.03)
            #expect(death.peakResidentBytes > 1 << 20)
        }
        guard case .failure(let large)? = try test.run(TestPool.chunk(3, "letters", ["99"])).jobs.first else {
            throw Unexpected(end: report.end)
        }
        #expect(large.kind == .outputLimit)
        #expect(large.death.map { String($0.processID) } == worker)
    }

    @Test func anOutOfMemoryKillIsGuessed() throws {
        // What the kernel writes into a control group's file, without a kernel that does.
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("groups-\(UUID())")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        func count(_ kills: Int) throws {
            try "oom \(kills)\noom_kill \(kills)\n".write(
                to: root.appendingPathComponent("memory.events"), atomically: true, encoding: .utf8)
        }
        try count(2)
        let test = try TestPool(controlGroups: root.path)
        func messageOfKilled(_ id: UInt64, signal: Int32 = SIGKILL, kills: Int) throws -> String {
            let marker = markerPath()
            let worker = try #require(Int32(try test.run(TestPool.chunk(id, "whoami", ["0"])).results[0] ?? ""))
            test.pool.run(TestPool.chunk(id + 1, "mark", ["\"\(marker)\""]))
            try awaitMarker(marker)
            try count(kills)
            kill(worker, signal)
            return try interruption(try test.report(of: id + 1)).failure.message
        }
        let usual = "the worker was killed by SIGKILL while it ran this job"
        #expect(try messageOfKilled(1, kills: 2) == usual)
        #expect(try messageOfKilled(3, kills: 3) == usual + ", possibly out of memory")
        #expect(try messageOfKilled(5, kills: 3) == usual, "the kernel was not heard of again")
        let other = try messageOfKilled(7, signal: SIGSEGV, kills: 4)
        #expect(other == "the worker was killed by SIGSEGV while it ran this job")
    }

    @Test func aWorkerThatDoesNotReadIsKilledAndItsChunkIsLost() throws {
        let test = try TestPool()
        let worker = try #require(Int32(try test.run(TestPool.chunk(1, "deafen", ["0"])).results[0] ?? ""))
        // It never comes back from this one, wherever it is.
        kill(worker, SIGUSR1)
        let begin = MonotonicTime.now()
        let end = try test.run(TestPool.chunk(2, "square", ["3"])).end
        guard case .lost(let failure) = end else { throw Unexpected(end: end) }
        #expect((MonotonicTime.now() - begin).seconds >= 4.9)
        #expect(failure.kind == .signal)
        #expect(failure.message == "the worker did not come to run this job within 5 s, and was killed")
        #expect(failure.death?.processID == worker)
        #expect(failure.death?.signal == "SIGKILL")
        #expect(!exists(worker))
        #expect(try test.run(TestPool.chunk(3, "square", ["3"])).results == ["9"])
    }

    @Test func namesAnExitStatus() throws {
        let test = try TestPool()
        let (position, failure) = try interruption(try test.run(TestPool.chunk(1, "crash", ["{\"exit\":3}", "1"])))
        #expect(position == 0)
        #expect(failure.kind == .exit)
        #expect(failure.message == "the worker exited with status 3 while it ran this job")
        #expect(failure.death?.exitCode == 3)
        #expect(failure.death?.signal == nil)
    }

    @Test func finishedNeighboursAreKeptWhenTheWorkerIsKilled() throws {
        let test = try TestPool()
        let worker = try #require(Int32(try test.run(TestPool.chunk(1, "whoami", ["0"])).results[0] ?? ""))
        let marker = markerPath()
        test.pool.run(TestPool.chunk(2, "mark", ["\"\"", "\"\"", "\"\(marker)\"", "\"\""]))
        try awaitMarker(marker)
        kill(worker, SIGKILL)
        let report = try test.report(of: 2)
        #expect(report.results == ["\"\"", "\"\""])
        let (position, failure) = try interruption(report)
        #expect(position == 2)
        #expect(failure.death?.signal == "SIGKILL")
    }

    @Test func anIdleWorkerIsReplaced() throws {
        let test = try TestPool()
        let worker = try #require(Int32(try test.run(TestPool.chunk(1, "whoami", ["0"])).results[0] ?? ""))
        kill(worker, SIGKILL)
        try eventually("the worker is reaped") { !exists(worker) }
        // Whether the pool has heard of it yet or not: the chunk either goes to the next worker or comes back untouched.
        var id: UInt64 = 2
        var report = try test.run(TestPool.chunk(id, "whoami", ["0"]))
        while report.isUntouched {
            id += 1
            report = try test.run(TestPool.chunk(id, "whoami", ["0"]))
        }
        #expect(report.results[0] != String(worker))
        #expect(report.results.count == 1)
    }

    @Test func aJobIsKilledAtItsDeadline() throws {
        let test = try TestPool()
        let begin = MonotonicTime.now()
        let report = try test.run(TestPool.chunk(1, "sleep", ["0.05", "0.25", "60", "0"], timeout: 0.3))
        let seconds = (MonotonicTime.now() - begin).seconds
        #expect(report.results == ["0.05", "0.25"])
        let (position, failure) = try interruption(report)
        #expect(position == 2)
        #expect(failure.kind == .timeout)
        #expect(failure.message == "the job ran longer than its time-out of 0.3 s")
        #expect((0.29...5).contains(failure.death?.wallSeconds ?? 0))
        #expect(seconds >= 0.6)
        #expect(try test.run(TestPool.chunk(2, "square", ["3"], timeout: 5)).results == ["9"])
    }

    @Test func aTimeOutCountsForEachJobAlone() throws {
        let test = try TestPool()
        let report = try test.run(TestPool.chunk(1, "sleep", [String](repeating: "0.1", count: 8), timeout: 0.4))
        #expect(report.results.count == 8)
        guard case .completed = report.end else { throw Unexpected(end: report.end) }
    }

    @Test func aCancelledChunkComesBack() throws {
        let test = try TestPool()
        test.pool.run(TestPool.chunk(1, "sleep", ["0", "60"]))
        test.pool.run(TestPool.chunk(2, "square", ["1"]))
        test.pool.cancel(99)
        test.pool.cancel(1)
        let report = try test.report(of: 1)
        // Whether a job was running already, and which, is a matter of luck.
        if case .interrupted(let position, let failure) = report.end {
            #expect(position == report.results.count)
            #expect(failure.kind == .cancelled)
        } else {
            #expect(report.end == .returned)
        }
        #expect(report.results.count <= 1)
        #expect(try test.report(of: 2).results == ["1"])
    }

    @Test func aWaitingChunkIsCancelledWithoutAKill() throws {
        let test = try TestPool()
        test.pool.run(TestPool.chunk(1, "sleep", ["0.2"]))
        test.pool.run(TestPool.chunk(2, "square", ["1"]))
        test.pool.cancel(2)
        #expect(try test.report(of: 2).end == .returned)
        #expect(try test.report(of: 1).results == ["0.2"])
    }

    @Test func aHandlerThatIgnoresSIGTERMIsKilledAfterTheGracePeriod() throws {
        let test = try TestPool(gracePeriod: 0.3)
        let worker = try #require(Int32(try test.run(TestPool.chunk(1, "whoami", ["0"])).results[0] ?? ""))
        test.pool.run(TestPool.chunk(2, "stubborn", ["0"]))
        try eventually("SIGTERM is ignored") { ignoresSIGTERM(worker) }
        let begin = MonotonicTime.now()
        test.pool.cancel(2)
        let (_, failure) = try interruption(try test.report(of: 2))
        let seconds = (MonotonicTime.now() - begin).seconds
        #expect(seconds >= 0.3 && seconds < 5)
        #expect(failure.kind == .cancelled)
        #expect(failure.death?.signal == "SIGKILL")
        #expect(!exists(worker), "the end is heard of when the worker is dead")
    }

    @Test(arguments: 1...3) func aWorkerThatWritesNonsenseIsKilled(mode: Int) throws {
        let test = try TestPool()
        let report = try test.run(TestPool.chunk(1, "hostile", [String(mode), "0"]))
        let (position, failure) = try interruption(report)
        #expect(position == 0)
        #expect(failure.kind == (mode == 3 ? .exit : .signal))
        #expect(try test.run(TestPool.chunk(2, "square", ["3"])).results == ["9"])
    }

    @Test func grandchildrenDieWithTheirWorker() throws {
        let test = try TestPool()
        let grandchild = try #require(Int32(try test.run(TestPool.chunk(1, "parent", ["false"])).results[0] ?? ""))
        #expect(isAlive(grandchild))
        _ = try interruption(try test.run(TestPool.chunk(2, "parent", ["true"])))
        try eventually("the grandchild is gone") { !exists(grandchild) }
    }

    @Test func stopKillsWhatRuns() throws {
        let test = try TestPool(slots: 2)
        let worker = try #require(Int32(try test.run(TestPool.chunk(1, "whoami", ["0"])).results[0] ?? ""))
        test.pool.run(TestPool.chunk(2, "sleep", ["60"]))
        test.pool.run(TestPool.chunk(3, "sleep", ["60"]))
        test.pool.run(TestPool.chunk(4, "square", ["2"]))
        test.pool.stop()
        for id in 2...4 { #expect(try test.report(of: UInt64(id)).end == .returned) }
        #expect(!exists(worker))
        test.pool.run(TestPool.chunk(5, "square", ["2"]))
        test.pool.stop()
    }

    @Test func aDeadZygoteIsReplaced() throws {
        let test = try TestPool(slots: 2)
        let worker = try #require(Int32(try test.run(TestPool.chunk(1, "whoami", ["0"])).results[0] ?? ""))
        let zygote = try #require(parent(of: worker))
        let marker = markerPath()
        test.pool.run(TestPool.chunk(2, "mark", ["\"\"", "\"\(marker)\""]))
        try awaitMarker(marker)
        kill(zygote, SIGKILL)
        let report = try test.report(of: 2)
        guard case .orphaned(1, _) = report.end else { return #expect(Bool(false), "\(report.end)") }
        #expect(report.results == ["\"\""])
        try test.waitForSlots(0)
        try test.waitForSlots(2, occurrences: 2)
        #expect(try test.run(TestPool.chunk(3, "square", ["4"])).results == ["16"])
        try eventually("the old zygote and its workers are reaped") { !exists(worker) && !exists(zygote) }
    }

    @Test func aJobThatKillsItsZygoteIsTold() throws {
        let test = try TestPool(slots: 2)
        let chunk = Chunk(
            id: 1, handler: "patricide", timeout: nil, isSolitary: true,
            parts: [TestPool.part(["true"])])
        let report = try test.run(chunk)
        guard case .orphaned(0, let failure?) = report.end else { return #expect(Bool(false), "\(report.end)") }
        #expect(failure.kind == .signal)
        #expect(failure.message.hasPrefix("the fork server was killed by SIGKILL while this job ran"))
        #expect(failure.death != nil)
        try test.waitForSlots(2, occurrences: 2)
        #expect(try test.run(TestPool.chunk(2, "square", ["4"])).results == ["16"])
    }

    private func ignoresSIGTERM(_ process: Int32) -> Bool {
        let lines = (SmallFile.read("/proc/\(process)/status") ?? "").split(separator: "\n")
        let mask = lines.first { $0.hasPrefix("SigIgn:") }?.split(separator: "\t").last.flatMap {
            UInt64($0, radix: 16)
        }
        return (mask ?? 0) & (1 << UInt64(SIGTERM - 1)) != 0
    }
}
