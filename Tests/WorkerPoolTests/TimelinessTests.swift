import Glibc
import JobModel
import Platform
import Testing

@testable import WorkerPool

/// How long it takes until something happens. What is printed is for people; what is asserted is far above, for busy machines.
@Suite(.serialized) struct TimelinessTests {
    private func report(_ what: String, _ times: [Double]) -> Double {
        let sorted = times.sorted()
        let (median, late) = (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
        print("\(what): p50 \(Int(median * 1e6)) µs, p99 \(Int(late * 1e6)) µs")
        return median
    }

    @Test func aFreshWorkerIsThereSoon() throws {
        let rule = HandlerProfile(name: "whoami", recycling: RecyclingPolicy(jobs: 1))
        let test = try TestPool(rules: [rule])
        try test.waitForSlots(1)
        var workers: Set<String?> = []
        var times: [Double] = []
        for id: UInt64 in 1...100 {
            let begin = MonotonicTime.now()
            workers.formUnion(try test.run(TestPool.chunk(id, "whoami", ["0"])).results)
            times.append((MonotonicTime.now() - begin).seconds)
        }
        #expect(workers.count == 100)
        #expect(report("a job in a worker that is forked for it", times) < 0.5)
    }

    @Test func theRestOfAChunkGoesOnSoon() throws {
        let test = try TestPool(slots: 2)
        _ = try test.run(TestPool.chunk(1_000_000, "square", ["1"]))
        var times: [Double] = []
        for id: UInt64 in 1...100 {
            test.pool.run(TestPool.chunk(2 * id, "crash", ["null", "null"]))
            let end = try test.report(of: 2 * id).end
            guard case .interrupted(_, let failure) = end, failure.death != nil else {
                throw StateHarness.Unexpected(end: end)
            }
            let begin = MonotonicTime.now()
            _ = try test.run(TestPool.chunk(2 * id + 1, "square", ["1"]))
            times.append((MonotonicTime.now() - begin).seconds)
        }
        #expect(report("the rest of a chunk behind a crash", times) < 0.5)
    }

    @Test func aCancelledJobThatIgnoresSIGTERMIsDeadSoonAfterItsGrace() throws {
        let test = try TestPool(gracePeriod: 0.2)
        var times: [Double] = []
        for id: UInt64 in 1...5 {
            test.pool.run(TestPool.chunk(id, "stubborn", ["0"]))
            try eventually("it runs") { test.pool.snapshot().workers.contains { $0.job != nil } }
            // It ignores SIGTERM a moment after it has begun.
            usleep(20_000)
            let begin = MonotonicTime.now()
            test.pool.cancel(id)
            guard case .interrupted(_, let failure) = try test.report(of: id).end, let death = failure.death else {
                throw StateHarness.Unexpected(end: nil)
            }
            times.append((MonotonicTime.now() - begin).seconds - 0.2)
            #expect(failure.kind == .cancelled && !exists(death.processID))
        }
        #expect(report("a death behind the grace period", times) < 1)
    }

    @Test func aJobThatIgnoresSIGTERMIsDeadSoonForSomebodyInAHurry() throws {
        let test = try TestPool(gracePeriod: 600)
        let runaway = try #require(Int32(try test.run(TestPool.chunk(1, "runaway", ["0"])).results[0] ?? ""))
        var times: [Double] = []
        for id: UInt64 in 2...4 {
            test.pool.run(TestPool.chunk(id, "stubborn", ["0"]))
            try eventually("it runs") { test.pool.snapshot().workers.contains { $0.job != nil } }
            usleep(20_000)
            // Whoever could wait is forgotten.
            if id == 3 { test.pool.cancel(id) }
            let begin = MonotonicTime.now()
            test.pool.abort(id)
            guard case .interrupted(_, let failure) = try test.report(of: id).end else {
                throw StateHarness.Unexpected(end: nil)
            }
            times.append((MonotonicTime.now() - begin).seconds)
            #expect(failure.kind == .cancelled)
        }
        #expect(report("a death in a hurry", times) < 10)
        try eventually("what had left its group is gone") { !exists(runaway) }
        test.pool.run(TestPool.chunk(5, "stubborn", ["0"]))
        try eventually("it runs") { test.pool.snapshot().workers.contains { $0.job != nil } }
        let begin = MonotonicTime.now()
        test.pool.stop()
        #expect(report("the end of a pool", [(MonotonicTime.now() - begin).seconds]) < 10)
    }

    /// Squares in a second.
    private func rate(_ test: TestPool, _ first: UInt64) throws -> Double {
        let begin = MonotonicTime.now()
        var id = first
        while (MonotonicTime.now() - begin).seconds < 1 {
            for offset: UInt64 in 0..<2 { test.pool.run(TestPool.chunk(id + offset, "square", ["3"])) }
            for offset: UInt64 in 0..<2 { _ = try test.report(of: id + offset) }
            id += 2
        }
        return Double(id - first)
    }

    @Test func othersKeepTheirPaceBesideWorkersThatDieAtOnce() throws {
        let dying = RuntimeDefinition(
            name: "dying", executable: try TestPool.host(), arguments: ["fake-zygote", "stillborn"],
            handlers: [HandlerProfile(name: "fake")])
        let good = RuntimeDefinition.swift(
            executable: try TestPool.host(), handlers: TestPool.handlers.map { HandlerProfile(name: $0) })
        let alone = try TestPool(slots: 2, runtimes: [good])
        try alone.waitForSlots(2)
        let before = try rate(alone, 1)
        let beside = try TestPool(slots: 2, runtimes: [good, dying])
        try eventually("both are ready") { beside.pool.snapshot().runtimes.allSatisfy { $0.state == .ready } }
        beside.pool.run(TestPool.chunk(1_000_000, "fake", ["0"]))
        _ = try beside.waitForHealth(of: "fake", isUnhealthy: true)
        let after = try rate(beside, 1)
        print("squares beside workers that die: \(Int(after / before * 100)) % of those alone")
        #expect(after > before / 3)
    }

    @Test func aTimeOutIsEnforcedInTime() throws {
        let test = try TestPool()
        _ = try test.run(TestPool.chunk(1_000_000, "square", ["1"]))
        var times: [Double] = []
        for id: UInt64 in 1...10 {
            let (_, failure) = try test.interruption(TestPool.chunk(id, "hang", ["0"], timeout: 0.1))
            #expect(failure.kind == .timeout)
            times.append(try #require(failure.death).wallSeconds - 0.1)
        }
        let late = report("a death behind a time-out", times)
        #expect(late >= 0 && late < 1)
    }
}
