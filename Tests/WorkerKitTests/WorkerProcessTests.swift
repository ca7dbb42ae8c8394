import Foundation
import Glibc
import JobModel
import Platform
import Testing

@testable import WorkerKit

/// What handlers do to their process, with real processes.
@Suite struct WorkerProcessTests {
    @Test func whatIsPrintedNeverMeetsTheProtocol() throws {
        let (zygote, worker) = try TestZygote.worker(["talk", "echo"])
        let results = try worker.server.results(1, "talk", ["\"a\\u0000\\u0001\"", "\"b\\n\""])
        #expect(results == ["\(worker.processID),\(worker.processID)"])
        #expect(try worker.server.results(2, "echo", ["1"]) == ["1"])
        shutdown(worker.server.socket.rawValue, Int32(SHUT_RDWR))
        let printed = worker.printed()
        #expect(printed.output == "a\0\u{1}b\n")
        #expect(printed.errors == "error: a\0\u{1}\nerror: b\n\n")
        _ = zygote
    }

    @Test func aLineWithoutAnEndIsPrintedWithItsChunk() throws {
        let (zygote, worker) = try TestZygote.worker(["talk", "crash"])
        _ = try worker.server.results(1, "talk", ["\"half a line\""])
        kill(worker.processID, SIGKILL)
        #expect(worker.printed().output == "half a line")
        _ = zygote
    }

    @Test func aForkedCopyIsNotHeard() throws {
        let (zygote, worker) = try TestZygote.worker(["twice", "whoami"])
        let payloads = [String](repeating: "0", count: 10)
        #expect(
            try worker.server.results(1, "twice", payloads)
                == [[String](repeating: "true", count: 10).joined(separator: ",")])
        var forks: Int64 = 0
        for case .counted(1, _, _, let deltas) in worker.server.frames {
            forks += deltas.reduce(0) { $0 + $1.amount }
        }
        #expect(forks == 10, "the copies do not count")
        let who = try worker.server.results(2, "whoami", ["0"])
        #expect(who.first?.hasPrefix("[\(worker.processID),") == true)
        // The copies end; they are the worker's children.
        try eventually("the copies have ended") {
            let list = SmallFile.read("/proc/\(worker.processID)/task/\(worker.processID)/children") ?? ""
            return list.split(separator: " ").allSatisfy { !isAlive(Int32($0) ?? 0) }
        }
        _ = zygote
    }

    @Test func whoClosesTheConnectionAnswersForIt() throws {
        let (zygote, worker) = try TestZygote.worker(["closer"])
        try worker.server.run(1, "closer", ["0.05", "0", "0"])
        let exit = try zygote.exit(of: worker.processID)
        #expect(exit.exitCode == 70)
        try worker.server.waitForEnd()
        #expect(worker.server.page.runningJob()?.position == 0, "the job counts as running")
        #expect(try worker.server.page.unsentOutcomes(of: 1).runs.isEmpty)
    }

    @Test(arguments: [0, 3] as [Int32]) func anExitInTheMiddleOfAJobShows(code: Int32) throws {
        let (zygote, worker) = try TestZygote.worker(["quitter"])
        try worker.server.run(1, "quitter", ["\(code)"])
        #expect(try zygote.exit(of: worker.processID).exitCode == code)
        #expect(worker.server.page.runningJob()?.position == 0)
    }

    @Test func aCancelledHandlerMayEndByItself() throws {
        let (zygote, worker) = try TestZygote.worker(["patient", "echo"])
        let marker = FileManager.default.temporaryDirectory.path + "/jobmill-patient-\(UUID().uuidString)"
        try worker.server.run(1, "patient", ["\"\(marker)\"", "\"\(marker)\""])
        try eventually("it has begun") { access(marker, F_OK) == 0 }
        unlink(marker)
        kill(worker.processID, SIGTERM)
        try worker.server.waitForEnd()
        #expect(worker.server.outcomes(of: 1) == ["\"ended\""], "its result is kept, the next job does not begin")
        #expect(try zygote.exit(of: worker.processID).exitCode == 0)
    }

    @Test func whatACancelledHandlerThrowsIsNoFailure() throws {
        let (zygote, worker) = try TestZygote.worker(["patient"])
        try worker.server.run(1, "patient", ["\"\""])
        _ = try worker.server.wait { if case .logged = $0 { true } else { false } }
        kill(worker.processID, SIGTERM)
        try worker.server.waitForEnd()
        #expect(worker.server.outcomes(of: 1).isEmpty)
        #expect(try worker.server.page.unsentOutcomes(of: 1).runs.isEmpty)
        #expect(try zygote.exit(of: worker.processID).exitCode == 0)
    }

    @Test func aLimitOfOpenFilesLeavesRoomForTheCancellation() throws {
        let (zygote, worker) = try TestZygote.worker(["patient"])
        try worker.server.run(1, "patient", ["\"\""], ChunkLimits(openFiles: 4, maximumResultBytes: 100))
        _ = try worker.server.wait { if case .logged = $0 { true } else { false } }
        kill(worker.processID, SIGTERM)
        #expect(try zygote.exit(of: worker.processID).exitCode == 0)
    }

    @Test func aCancelledTaskIsCancelled() throws {
        let (zygote, worker) = try TestZygote.worker(["async-patient"])
        try worker.server.run(1, "async-patient", ["0"])
        _ = try worker.server.wait { if case .logged = $0 { true } else { false } }
        kill(worker.processID, SIGTERM)
        try worker.server.waitForEnd()
        #expect(worker.server.outcomes(of: 1) == ["\"ended\""])
        _ = zygote
    }

    @Test func otherHandlersAreEndedAtOnce() throws {
        let (zygote, worker) = try TestZygote.worker(["patient", "sleep", "echo"])
        // The worker has run a handler that ends by itself before.
        #expect(try worker.server.results(1, "echo", ["1"]) == ["1"])
        try worker.server.run(2, "sleep", ["60"])
        try eventually("it sleeps") { worker.server.page.runningJob()?.chunk == 2 }
        kill(worker.processID, SIGTERM)
        #expect(try zygote.exit(of: worker.processID).signal == SIGTERM)
        #expect(worker.server.page.runningJob()?.position == 0)
    }

    @Test func openFilesAreLimitedForTheChunk() throws {
        let (zygote, worker) = try TestZygote.worker(["files"])
        let server = worker.server
        let usual = try server.results(1, "files", ["0"])
        try server.run(2, "files", ["0"], ChunkLimits(openFiles: 17, maximumResultBytes: 100))
        try server.waitForDone(2)
        #expect(server.outcomes(of: 2) == ["17"])
        #expect(try server.results(3, "files", ["0"]) == usual)
        _ = zygote
    }

    @Test func processorTimeIsLimitedForEachJob() throws {
        let (zygote, worker) = try TestZygote.worker(["burn"])
        let limits = ChunkLimits(cpuSeconds: 0.5, maximumResultBytes: 100)
        // Each uses less than its limit, all together use more.
        try worker.server.run(1, "burn", ["0.3", "0.3", "0.3", "0.3", "0.3"], limits)
        try #require(try worker.server.waitForDone(1))
        try worker.server.run(2, "burn", ["0", "-1"], limits)
        let exit = try zygote.exit(of: worker.processID)
        #expect(exit.signal == SIGXCPU)
        #expect(worker.server.page.runningJob()?.position == 1)
        #expect(exit.cpuSeconds < 5)
    }

    @Test func countersOutliveACrash() throws {
        let (zygote, worker) = try TestZygote.worker(["tally"])
        try worker.server.run(1, "tally", ["false", "false", "true", "false"])
        #expect(try zygote.exit(of: worker.processID).signal == SIGABRT)
        try worker.server.waitForEnd()
        let found = try worker.server.page.unsentCounters()
        let left = try #require(found)
        #expect(left.position == 0)
        #expect(left.deltas == [CounterDelta(name: "begun", amount: 3), CounterDelta(name: "ended", amount: 2)])
        #expect(worker.server.frames == [.ready], "they are only on the page")
        #expect(left.sequence == 1)
    }
}
