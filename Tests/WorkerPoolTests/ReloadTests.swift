import Foundation
import Glibc
import JobModel
import Platform
import Testing

@testable import WorkerPool

/// Runtimes that are prepared anew while others run, against real processes.
@Suite struct ReloadTests {
    private func swift(_ environment: [String: String] = [:]) throws -> RuntimeDefinition {
        var runtime = try RuntimeDefinition.swift(
            executable: TestPool.host(), handlers: TestPool.handlers.map { HandlerProfile(name: $0) })
        runtime.environment = environment
        return runtime
    }

    private func fake(_ mode: String, _ handlers: [String]) throws -> RuntimeDefinition {
        RuntimeDefinition(
            name: "swift", executable: try TestPool.host(), arguments: ["fake-zygote", mode],
            preparationTimeout: TimeSpan(seconds: 5), handlers: handlers.map { HandlerProfile(name: $0) })
    }

    private func zygote(_ test: TestPool) throws -> Int32 {
        try #require(test.pool.snapshot().runtimes.first { $0.state == .ready }?.processID)
    }

    private func waitForLoads(_ count: Int, of handler: String, _ test: TestPool) throws -> String? {
        let problems: [String?] = try test.wait("\(count) loads of \(handler)") { events in
            let all = events.compactMap { event -> String?? in
                guard case .loaded(let handlers, let problem, _) = event, handlers.contains(handler) else { return nil }
                return .some(problem)
            }
            return all.count >= count ? all : nil
        }
        return problems[count - 1]
    }

    /// Hands in chunk after chunk while something happens, and returns all results.
    private func underLoad(_ test: TestPool, chunks: Int = 300, _ body: (UInt64) throws -> Void) throws -> [String] {
        var results: [String] = []
        for id in 1...UInt64(chunks) {
            try body(id)
            let report = try test.run(TestPool.chunk(id, "whoami", ["0", "0", "0"]))
            #expect(report.jobs.count == 3)
            guard case .completed = report.end else {
                Issue.record("\(report.end)")
                continue
            }
            results += report.results.compactMap(\.self)
        }
        return results
    }

    @Test func noChunkIsLostAndTheOldProcessesEnd() throws {
        let test = try TestPool(slots: 2)
        try test.waitForSlots(2)
        let old = try zygote(test)
        test.pool.run(TestPool.chunk(1000, "sleep", ["1"]))
        var last = old
        let results = try underLoad(test) { id in
            if id % 60 == 30 { test.pool.reload([try swift()], generation: Int(id / 60) + 1) }
            if id % 60 == 59 {
                _ = try waitForLoads(Int(id / 60) + 2, of: "whoami", test)
                let new = try zygote(test)
                #expect(new != last)
                last = new
            }
        }
        #expect(results.count == 900)
        #expect(Set(results).count > 5, "workers of several zygotes")
        #expect(try test.report(of: 1000).jobs.count == 1, "begun under the first one")
        let generations = try test.wait("all loads") { events -> [Int]? in
            events.compactMap { if case .loaded(_, _, let generation) = $0 { generation } else { nil } }
        }
        #expect(generations == Array(0...5))
        try eventually("the old ones are gone") {
            !exists(old) && test.pool.snapshot().runtimes.count == 1
        }
        let parents = test.pool.snapshot().workers.compactMap(\.processID).compactMap(parent)
        #expect(parents.allSatisfy { $0 == last })
    }

    @Test func settingsOfTheNewOneHold() throws {
        let test = try TestPool(runtimes: [needy("stepped", "JOBMILL_STEP", "")])
        #expect(try test.waitForHealth(of: "stepped", isUnhealthy: true) != nil)
        let cause = markerPath()
        defer { unlink(cause) }
        close(open(cause, O_CREAT | O_WRONLY, 0o600))
        test.pool.reload([try needy("stepped", "JOBMILL_STEP", cause)], generation: 1)
        _ = try test.waitForHealth(of: "stepped", isUnhealthy: false)
        #expect(try test.run(TestPool.chunk(2, "stepped", ["5"])).results == ["5"])
    }

    @Test(arguments: ["fail", "crash", "stillborn"]) func aNewOneThatFailsChangesNothing(mode: String) throws {
        let test = try TestPool()
        try test.waitForSlots(1)
        let old = try zygote(test)
        test.pool.reload([try fake(mode, TestPool.handlers)], generation: 1)
        let results = try underLoad(test) { _ in }
        #expect(Set(results).count == 1)
        let problem = try #require(try waitForLoads(2, of: "whoami", test))
        #expect(
            problem.hasPrefix(
                mode == "fail"
                    ? "the cause is not gone" : mode == "crash" ? "the preparation ended early" : "a worker died"
            ), "\(problem)")
        #expect(try zygote(test) == old)
        try eventually("it is gone") { test.pool.snapshot().runtimes.count == 1 }
        #expect(try test.run(TestPool.chunk(999, "square", ["3"])).results == ["9"])
    }

    @Test func aNewZygoteThatIsKilledLeavesTheOldOne() throws {
        let test = try TestPool()
        try test.waitForSlots(1)
        test.pool.reload([try fake("silent", TestPool.handlers)], generation: 1)
        try eventually("it is there") { test.pool.snapshot().runtimes.compactMap(\.processID).count == 2 }
        let new = try #require(test.pool.snapshot().runtimes[1].processID)
        kill(new, SIGKILL)
        #expect(
            try waitForLoads(2, of: "square", test)
                == "the preparation ended early: the zygote was killed by SIGKILL")
        #expect(try test.run(TestPool.chunk(1, "square", ["3"])).results == ["9"])
    }

    @Test func anOldZygoteThatIsKilledMeanwhileIsReplaced() throws {
        let test = try TestPool()
        try test.waitForSlots(1)
        let old = try zygote(test)
        test.pool.reload([try fake("silent", TestPool.handlers)], generation: 1)
        try eventually("it is there") { test.pool.snapshot().runtimes.compactMap(\.processID).count == 2 }
        kill(old, SIGKILL)
        try test.waitForSlots(1, occurrences: 2)
        #expect(try test.run(TestPool.chunk(1, "square", ["3"])).results == ["9"])
        test.pool.reload([try swift()], generation: 1)
        #expect(try waitForLoads(3, of: "square", test) == nil)
        #expect(try test.run(TestPool.chunk(2, "square", ["3"])).results == ["9"])
        try eventually("all others are gone") { test.pool.snapshot().runtimes.count == 1 }
    }

    @Test func aRetiredZygoteThatIsKilledCostsNothing() throws {
        let test = try TestPool(slots: 2)
        try test.waitForSlots(2)
        let old = try zygote(test)
        let marker = markerPath()
        test.pool.run(TestPool.chunk(1, "mark", ["\"\(marker)\""]))
        try awaitMarker(marker)
        test.pool.reload([try swift()], generation: 1)
        #expect(try waitForLoads(2, of: "mark", test) == nil)
        #expect(try test.run(TestPool.chunk(2, "square", ["3"])).results == ["9"])
        kill(old, SIGKILL)
        let end = try test.report(of: 1).end
        guard case .orphaned(0, _) = end else { return #expect(Bool(false), "\(end)") }
        try eventually("it is gone") { test.pool.snapshot().runtimes.count == 1 }
        #expect(try test.run(TestPool.chunk(3, "square", ["3"])).results == ["9"])
    }

    @Test func manyReloadsAtOnceComeToOne() throws {
        let test = try TestPool(slots: 2)
        for _ in 0..<20 { test.pool.reload([try swift()], generation: 1) }
        _ = try waitForLoads(1, of: "square", test)
        let results = try underLoad(test) { id in if id % 10 == 0 { test.pool.reload([try swift()], generation: 1) } }
        #expect(results.count == 900)
        try eventually("one is left") { test.pool.snapshot().runtimes.map(\.state) == [.ready] }
        try eventually("its workers are all that is left") {
            let snapshot = test.pool.snapshot()
            return snapshot.workers.compactMap(\.processID).allSatisfy {
                parent(of: $0) == snapshot.runtimes[0].processID
            }
        }
    }

    @Test func thePoolStopsInTheMidstOfAReload() throws {
        let test = try TestPool(slots: 2)
        try test.waitForSlots(2)
        test.pool.reload([try swift(), try fake("silent", ["fake"])], generation: 1)
        test.pool.reload([try swift(), try fake("silent", ["fake"])], generation: 1)
        let processes = test.pool.snapshot().runtimes.compactMap(\.processID)
        test.pool.stop()
        #expect(processes.allSatisfy { !exists($0) })
    }

    private func needy(_ handler: String, _ variable: String, _ path: String) throws -> RuntimeDefinition {
        var runtime = try RuntimeDefinition.swift(
            name: handler, executable: TestPool.host(), handlers: [HandlerProfile(name: handler)],
            preparationTimeout: TimeSpan(seconds: 2))
        runtime.environment = [variable: path]
        return runtime
    }
}
