import Foundation
import Glibc
import JobModel
import Platform
import Testing

@testable import WorkerPool

/// Runtimes that do not do what they should beside one that does, against real processes.
@Suite struct RuntimesTests {
    private func fake(
        _ mode: String, _ handlers: [String] = ["fake"], preparation: Double = 60
    ) throws -> RuntimeDefinition {
        RuntimeDefinition(
            name: mode, executable: try TestPool.host(), arguments: ["fake-zygote", mode],
            preparationTimeout: TimeSpan(seconds: preparation), handlers: handlers.map { HandlerProfile(name: $0) })
    }

    private func good() throws -> RuntimeDefinition {
        .swift(executable: try TestPool.host(), handlers: TestPool.handlers.map { HandlerProfile(name: $0) })
    }

    private func expectOthersWork(_ test: TestPool, from id: UInt64 = 100) throws {
        for id in id..<id + 20 { #expect(try test.run(TestPool.chunk(id, "square", ["3"])).results == ["9"]) }
    }

    @Test func aZygoteThatClosesItsChannelIsKilled() throws {
        let test = try TestPool(runtimes: [good(), fake("mute")])
        let unhealthy = try #require(try test.waitForHealth(of: "fake", isUnhealthy: true))
        #expect(unhealthy.reason == "the zygote ends again and again: it was killed by SIGKILL")
        try expectOthersWork(test)
    }

    @Test func aPreparationThatFailsIsToldAndRecovers() throws {
        let cause = markerPath()
        defer { unlink(cause) }
        let test = try TestPool(runtimes: [good(), fake("until:\(cause)")])
        let unhealthy = try #require(try test.waitForHealth(of: "fake", isUnhealthy: true))
        #expect(unhealthy.reason == "the cause is not gone")
        #expect(unhealthy.retryAfter > 0)
        #expect(try test.run(TestPool.chunk(1, "fake", ["0"])).end == .returned)
        try expectOthersWork(test)
        close(open(cause, O_CREAT | O_WRONLY, 0o600))
        _ = try test.waitForHealth(of: "fake", isUnhealthy: false)
        try expectOthersWork(test, from: 200)
    }

    /// A runtime of the test host whose handler needs something that the environment names.
    private func needy(_ handler: String, _ variable: String, _ path: String) throws -> RuntimeDefinition {
        var runtime = try RuntimeDefinition.swift(
            name: handler, executable: TestPool.host(), handlers: [HandlerProfile(name: handler)],
            preparationTimeout: TimeSpan(seconds: 2))
        runtime.environment = [variable: path]
        return runtime
    }

    @Test(arguments: [("prepared", "JOBMILL_PREPARE"), ("stepped", "JOBMILL_STEP")])
    func aRealPreparationFailsAndRecovers(handler: String, variable: String) throws {
        let cause = markerPath()
        defer { unlink(cause) }
        let test = try TestPool(runtimes: [good(), needy(handler, variable, cause)])
        if handler == "stepped" {
            // Workers come about when somebody needs them.
            try eventually("it is prepared") { test.pool.snapshot().runtimes.allSatisfy { $0.state == .ready } }
            #expect(try test.run(TestPool.chunk(1, handler, ["1"])).end == .returned)
        }
        let unhealthy = try #require(try test.waitForHealth(of: handler, isUnhealthy: true))
        #expect(unhealthy.reason.contains("\(variable) is missing"))
        try expectOthersWork(test)
        close(open(cause, O_CREAT | O_WRONLY, 0o600))
        _ = try test.waitForHealth(of: handler, isUnhealthy: false)
        #expect(try test.run(TestPool.chunk(2, handler, ["5"])).results == ["5"])
    }

    @Test func aStepThatHangsIsKilled() throws {
        let test = try TestPool(runtimes: [good(), needy("stepped", "JOBMILL_STEP", "")])
        try eventually("it is prepared") { test.pool.snapshot().runtimes.allSatisfy { $0.state == .ready } }
        #expect(try test.run(TestPool.chunk(1, "stepped", ["1"])).end == .returned)
        let unhealthy = try #require(try test.waitForHealth(of: "stepped", isUnhealthy: true))
        #expect(unhealthy.reason == "a worker was not ready within 2 s")
        try expectOthersWork(test)
    }

    @Test func aStepThatHangsTakesNobodysSlot() throws {
        var hanging = try needy("stepped", "JOBMILL_STEP", "")
        hanging.preparationTimeout = TimeSpan(seconds: 600)
        let test = try TestPool(slots: 1, runtimes: [good(), hanging])
        try eventually("it is prepared") { test.pool.snapshot().runtimes.allSatisfy { $0.state == .ready } }
        #expect(try test.run(TestPool.chunk(1, "stepped", ["1"])).end == .returned, "long before its time is up")
        try expectOthersWork(test)
        let workers = test.pool.snapshot().workers.filter { $0.state != .stopping }
        #expect(workers.count { $0.runtime == "stepped" } == 1, "it still tries")
    }

    @Test func aPreparationThatCrashesIsTold() throws {
        let test = try TestPool(runtimes: [good(), fake("crash")])
        let unhealthy = try #require(try test.waitForHealth(of: "fake", isUnhealthy: true))
        #expect(unhealthy.reason == "the preparation ended early: the zygote was killed by SIGABRT")
        try expectOthersWork(test)
    }

    @Test func aPreparationThatHangsIsKilled() throws {
        let test = try TestPool(runtimes: [good(), fake("silent", preparation: 0.5)])
        try expectOthersWork(test)
        let unhealthy = try #require(try test.waitForHealth(of: "fake", isUnhealthy: true))
        #expect(unhealthy.reason == "the preparation took longer than 0.5 s")
        #expect(test.pool.snapshot().runtimes.map(\.state) == [.ready, .unhealthy])
        try expectOthersWork(test, from: 200)
    }

    @Test func oneBrokenHandlerDoesNotSpoilTheOthers() throws {
        let test = try TestPool(runtimes: [good(), fake("partial", ["broken", "whole"])])
        let unhealthy = try #require(try test.waitForHealth(of: "broken", isUnhealthy: true))
        #expect(unhealthy.reason == "no such function")
        try eventually("both are ready") { test.pool.snapshot().runtimes.map(\.state) == [.ready, .ready] }
    }

    @Test func aZygoteThatDoesNotAnswerIsReplaced() throws {
        let test = try TestPool(runtimes: [good(), fake("deaf")])
        try test.waitForSlots(1)
        try eventually("both are ready") { test.pool.snapshot().runtimes.allSatisfy { $0.state == .ready } }
        let zygote = try #require(test.pool.snapshot().runtimes[1].processID)
        test.pool.run(TestPool.chunk(1, "fake", ["0"]))
        try eventually("it is killed") { !exists(zygote) }
        test.pool.cancel(1)
        #expect(try test.report(of: 1).end == .returned)
        try expectOthersWork(test)
    }

    @Test func aStoppedZygoteIsReplaced() throws {
        let test = try TestPool()
        let worker = try #require(Int32(try test.run(TestPool.chunk(1, "whoami", ["0"])).results[0] ?? ""))
        let zygote = try #require(test.pool.snapshot().runtimes[0].processID)
        #expect(parent(of: worker) == zygote)
        kill(zygote, SIGSTOP)
        kill(worker, SIGKILL)
        var id: UInt64 = 2
        var report = try test.run(TestPool.chunk(id, "whoami", ["0"]))
        while report.isUntouched {
            id += 1
            report = try test.run(TestPool.chunk(id, "whoami", ["0"]))
        }
        #expect(report.results.count == 1)
        #expect(test.pool.snapshot().runtimes[0].processID != zygote)
        try eventually("both are reaped") { !exists(zygote) && !exists(worker) }
    }

    @Test func workersThatDieAtOnceAreNoStorm() throws {
        let test = try TestPool(slots: 2, runtimes: [good(), fake("stillborn")])
        try eventually("both are ready") { test.pool.snapshot().runtimes.allSatisfy { $0.state == .ready } }
        test.pool.run(TestPool.chunk(1, "fake", ["0"]))
        #expect(try test.report(of: 1).end == .returned)
        let unhealthy = try #require(try test.waitForHealth(of: "fake", isUnhealthy: true))
        #expect(unhealthy.reason.hasPrefix("a worker died right after the fork"))
        try expectOthersWork(test)
        #expect(try test.run(TestPool.chunk(2, "fake", ["0"])).end == .returned)
    }

    @Test func runtimesShareTheSlots() throws {
        let second = try RuntimeDefinition.swift(
            name: "second", executable: TestPool.host(), handlers: [HandlerProfile(name: "echo")])
        let others = TestPool.handlers.filter { $0 != "echo" }.map { HandlerProfile(name: $0) }
        let test = try TestPool(
            slots: 2, runtimes: [.swift(executable: TestPool.host(), handlers: others), second])
        var id: UInt64 = 0
        for round in 0..<10 {
            for handler in ["square", "echo", "whoami"] {
                id += 1
                #expect(try test.run(TestPool.chunk(id, handler, ["1"])).results.count == 1, "round \(round)")
            }
            let living = test.pool.snapshot().workers.filter { $0.state != .stopping }
            #expect(living.count <= 2)
        }
        try eventually("both have a worker") {
            Set(test.pool.snapshot().workers.filter { $0.state == .idle }.map(\.runtime)) == ["swift", "second"]
        }
    }

    @Test func aRunawayDoesNotOutliveItsWorker() throws {
        let test = try TestPool()
        let runaway = try #require(Int32(try test.run(TestPool.chunk(1, "runaway", ["0"])).results[0] ?? ""))
        _ = try test.interruption(TestPool.chunk(2, "crash", ["null"]))
        try eventually("it is killed and reaped") { !exists(runaway) }
    }

    @Test func aRunawayDoesNotOutliveTheZygote() throws {
        let test = try TestPool()
        let runaway = try #require(Int32(try test.run(TestPool.chunk(1, "runaway", ["0"])).results[0] ?? ""))
        #expect(isAlive(runaway))
        let zygote = try #require(test.pool.snapshot().runtimes[0].processID)
        kill(zygote, SIGKILL)
        try eventually("it is killed and reaped") { !exists(runaway) }
    }
}
