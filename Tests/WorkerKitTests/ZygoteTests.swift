import Glibc
import Platform
import Testing

@testable import WorkerKit

/// Preparation, forks and ends, with real processes.
@Suite struct ZygoteTests {
    @Test func preparesOnceAndEachWorkerOnce() throws {
        let zygote = try TestZygote(["steps"])
        #expect(try zygote.next() == .ready(problems: []))
        for _ in 0..<2 {
            let worker = try zygote.fork()
            #expect(
                try worker.server.results(1, "steps", ["0", "0"]) == [
                    (1...2).map { "[\(zygote.processID),\(worker.processID),\(worker.processID),\($0)]" }
                        .joined(separator: ",")
                ])
            #expect(worker.server.frames.first == .ready)
        }
    }

    @Test func saysWhichHandlersItDoesNotHave() throws {
        let zygote = try TestZygote(["echo", "nobody"])
        #expect(
            try zygote.next()
                == .ready(problems: [
                    UnusableHandler(name: "nobody", reason: "this program has no handler named nobody")
                ]))
        let worker = try zygote.fork()
        #expect(try worker.server.results(1, "echo", ["7"]) == ["7"])
        #expect(
            try worker.server.results(2, "square", ["7"]) == ["!there is no handler named square"],
            "only what was asked for is there")
    }

    @Test(arguments: [
        ("bad-preparation", "the preparation of bad-preparation failed: no model"),
        (
            "threaded",
            "the preparation of threaded has left threads behind, and a process with threads cannot be forked"
        ),
    ]) func aPreparationThatFailsIsToldAndEndsTheZygote(handler: String, reason: String) throws {
        let zygote = try TestZygote(["echo", handler])
        #expect(try zygote.next() == .preparationFailed(reason: reason))
        #expect(try zygote.next() == nil)
    }

    @Test func aWorkerStepThatFailsIsToldAndEndsTheWorker() throws {
        let zygote = try TestZygote(["bad-step"])
        #expect(try zygote.next() == .ready(problems: []))
        for _ in 0..<2 {
            let worker = try zygote.fork()
            try worker.server.waitForEnd()
            #expect(
                worker.server.frames == [.setupFailed(reason: "the worker step of bad-step failed: no connection")])
            #expect(try zygote.exit(of: worker.processID).exitCode == 70)
        }
    }

    @Test func whatPreparationOpensStaysOpen() throws {
        let (zygote, worker) = try TestZygote.worker(["file", "whoami"])
        #expect(try worker.server.results(1, "file", ["0"]) == ["[4,1,0]"])
        #expect(try worker.server.results(2, "whoami", ["0"]) == ["[\(worker.processID),0,1,2,3,4]"])
        _ = zygote
    }

    @Test func aWorkerHasNothingThatIsNotItsOwn() throws {
        let (zygote, first) = try TestZygote.worker(["whoami", "signals"])
        let second = try zygote.fork()
        for worker in [first, second] {
            #expect(try worker.server.results(1, "whoami", ["0"]) == ["[\(worker.processID),0,1,2,3]"])
            // None blocked, none ignored.
            #expect(try worker.server.results(2, "signals", ["0"]) == ["[0,0]"])
        }
    }

    @Test func aWorkerEndsWithItsSocketAndTheZygoteSaysSo() throws {
        let (zygote, worker) = try TestZygote.worker(["echo"])
        shutdown(worker.server.socket.rawValue, Int32(SHUT_RDWR))
        let exit = try zygote.exit(of: worker.processID)
        #expect(exit.exitCode == 0)
        #expect(exit.signal == nil)
    }

    @Test func nobodyOutlivesTheChannel() throws {
        let (zygote, worker) = try TestZygote.worker(["daemon", "hang"])
        let results = try worker.server.results(1, "daemon", ["false"])
        let daemon = try #require(results.first.flatMap { Int32($0) })
        #expect(isAlive(daemon))
        try worker.server.run(2, "hang", ["0"])
        zygote.end()
        #expect(!isAlive(worker.processID))
        #expect(!isAlive(daemon))
    }

    @Test func aDeadWorkersDaemonsDieAndThoseOfTheLivingStay() throws {
        let (zygote, first) = try TestZygote.worker(["daemon", "crash"])
        let second = try zygote.fork()
        try first.server.run(1, "daemon", ["true"])
        #expect(try zygote.exit(of: first.processID).signal == SIGABRT)
        // What it had started has no parent but the zygote.
        try eventually("the zygote has no children but the other worker") {
            let list = SmallFile.read("/proc/\(zygote.processID)/task/\(zygote.processID)/children") ?? ""
            return list.split(separator: " ").compactMap { Int32($0) } == [second.processID]
        }
        #expect(isAlive(second.processID))
    }

    @Test func aZygoteThatIsKilledTakesItsWorkersAlong() throws {
        let (zygote, worker) = try TestZygote.worker(["hang"])
        try worker.server.run(1, "hang", ["0"])
        kill(zygote.processID, SIGKILL)
        try worker.server.waitForEnd()
        try eventually("the worker is gone") { !isAlive(worker.processID) }
    }

    @Test func requestsToEndAreForTheServer() throws {
        let (zygote, worker) = try TestZygote.worker(["echo"])
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] { kill(zygote.processID, signal) }
        #expect(try worker.server.results(1, "echo", ["1"]) == ["1"])
        let another = try zygote.fork()
        #expect(try another.server.results(1, "echo", ["2"]) == ["2"])
    }

    @Test(arguments: ["", "[]", "{", #"{"handlers":1}"#, #"{"handlers":[1]}"#])
    func setupsThatMakeNoSenseAreRefused(text: String) {
        #expect(throws: ProtocolViolation.self) { try ZygoteSetup(decoding: Array(text.utf8)) }
    }

    @Test func setupsNameHandlers() throws {
        #expect(try ZygoteSetup(decoding: Array("{}".utf8)).handlers == nil)
        #expect(try ZygoteSetup(decoding: Array("{}".utf8)).choose(from: DemoHandlers.all).chosen.count == 7)
        let setup = try ZygoteSetup(decoding: Array(#"{"commands":[{}],"handlers":["fail","x","echo"]}"#.utf8))
        let (chosen, problems) = setup.choose(from: DemoHandlers.all)
        #expect(chosen.map(\.name) == ["echo", "fail"])
        #expect(problems.map(\.name) == ["x"])
    }
}
