import JobModel
import Platform
import Synchronization
import Testing

@testable import WorkerKit

/// Keeps up to four jobs at hand, and does them when it has more, or when it has to finish.
private final class Hoarder: JobPipeline {
    private var jobs: [(payload: String, context: JobContext)] = []
    private let look: () -> Void

    /// - Parameter look: is called in front of each outcome.
    init(look: @escaping () -> Void = {}) { self.look = look }

    func take<Outcomes: JobOutcomes & ~Copyable>(
        _ payload: UnsafeRawBufferPointer, _ context: JobContext, _ outcomes: inout Outcomes
    ) throws {
        jobs.append((String(decoding: payload, as: UTF8.self), context))
        if jobs.count > 4 { try doOldest(&outcomes) }
    }

    func finish<Outcomes: JobOutcomes & ~Copyable>(_ outcomes: inout Outcomes) throws {
        while !jobs.isEmpty { try doOldest(&outcomes) }
    }

    private func doOldest<Outcomes: JobOutcomes & ~Copyable>(_ outcomes: inout Outcomes) throws {
        let (payload, context) = jobs.removeFirst()
        look()
        context.report(message: "at \(context.index)")
        // Nobody hears of a job whose turn it is not.
        jobs.first?.context.report(message: "too early")
        context.add(1, to: "done")
        if payload == "0" {
            try outcomes.report(Failure(kind: .exception, message: "zero"))
        } else {
            try outcomes.report(Array("[\(payload)]".utf8))
        }
        context.report(message: "too late")
    }
}

extension WorkerLoopTests {
    @Test func jobsThatAreTakenAheadHaveTheirTurns() throws {
        try withWorker([.pipelined("hoard") { Hoarder() }]) { server in
            try server.run(1, "hoard", ["1", "2", "0", "3", "4", "5", "6", "7"])
            try #require(try server.waitForDone(1))
            #expect(server.outcomes(of: 1) == ["[1],[2]", "!zero", "[3],[4],[5],[6],[7]"])
            let reports = server.frames.compactMap { frame -> String? in
                guard case .progress(_, let position, let progress) = frame else { return nil }
                return "\(position) \(progress.message ?? "")"
            }
            #expect(reports == (0..<8).map { "\($0) at \($0 + 10)" })
            let counted = server.frames.compactMap { frame -> [CounterDelta]? in
                if case .counted(_, _, _, let deltas) = frame { deltas } else { nil }
            }
            #expect(counted == [[CounterDelta(name: "done", amount: 8)]])
        }
    }

    @Test func aRecalledChunkEndsWithTheJobsThatWereTaken() throws {
        let server = Mutex<TestServer?>(nil)
        let hoarder = Handler.pipelined("hoard") { Hoarder { server.withLock { $0?.page.recall(1) } } }
        try withWorker([hoarder]) { own in
            server.withLock { $0 = own }
            try own.run(1, "hoard", (1...9).map(String.init))
            try #require(try own.waitForDone(1))
            #expect(own.outcomes(of: 1).joined(separator: ",") == "[1],[2],[3],[4],[5]")
            server.withLock { $0 = nil }
        }
    }

    @Test func theOldestJobIsTheOneThatRuns() throws {
        let page = Mutex<[Int]>([])
        let server = Mutex<TestServer?>(nil)
        let hoarder = Handler.pipelined("hoard") {
            Hoarder {
                let running = server.withLock { $0?.page.runningJob()?.position }
                page.withLock { $0.append(running ?? -1) }
            }
        }
        try withWorker([hoarder]) { own in
            server.withLock { $0 = own }
            for chunk in UInt64(1)...2 {
                try own.run(chunk, "hoard", (1...7).map(String.init))
                try #require(try own.waitForDone(chunk))
            }
            #expect(page.withLock { $0 } == Array(0..<7) + Array(0..<7))
            #expect(own.page.runningJob() == nil)
            server.withLock { $0 = nil }
        }
    }
}
