import Glibc
import JobModel
import Logging
import Platform
import Synchronization
import Testing

@testable import WorkerKit

/// A worker's loop on a thread of the test, with a real socket and page.
@Suite struct WorkerLoopTests {
    func withWorker(_ handlers: [Handler], _ body: (TestServer) throws -> Void) throws {
        let (left, right) = try SocketPair().split()
        let file = try SharedPage.makeFile()
        let server = TestServer(socket: Descriptor(adopting: left), page: try SharedPage(mapping: file))
        let number = file.release()
        let failure = Mutex<String?>(nil)
        let worker = try OwnedThread(name: "worker") {
            do {
                let socket = Descriptor(adopting: right)
                SocketTransfer.enlargeSendBuffer(socket.rawValue, bytes: 1 << 20)
                let link = WorkerLink(
                    page: try SharedPage(mapping: Descriptor(adopting: number)), socket: socket.rawValue)
                let runnable = try handlers.map { ($0.name, try $0.prepared().runnable()) }
                var loop = WorkerLoop(
                    handlers: Dictionary(uniqueKeysWithValues: runnable), socket: socket.rawValue, link: link)
                try loop.run()
            } catch {
                failure.withLock { $0 = "\(error)" }
            }
        }
        defer {
            shutdown(server.socket.rawValue, Int32(SHUT_RDWR))
            worker.join()
        }
        try body(server)
        #expect(failure.withLock { $0 } == nil)
    }

    @Test func jobsHearWhatTheyAre() throws {
        let handler = Handler("who") { (_: Int, context) -> [String] in
            [
                context.jobID, context.batchID, "\(context.index)", "\(context.attempt)", context.traceparent ?? "-",
                context.remainingSeconds.map { $0 > 90 && $0 <= 100 ? "soon" : "\($0)" } ?? "-",
                context.deadline == nil ? "-" : "dated",
            ]
        }
        try withWorker([handler]) { server in
            try server.run(
                1, "who", ["0", "0"], ChunkLimits(timeout: 100, maximumResultBytes: 1000), attempt: 3,
                traceparent: "00-ab-cd-01")
            try server.waitForDone(1)
            let batch = TestServer.batch.description
            let job = "job_" + batch.dropFirst(4)
            func expected(_ index: Int) -> String {
                #"["\#(job)_\#(index)","\#(batch)","\#(index)","3","00-ab-cd-01","soon","dated"]"#
            }
            #expect(server.outcomes(of: 1) == [expected(10) + "," + expected(11)])
            let plain = try server.results(2, "who", ["0"])
            #expect(plain.first?.contains(#""1","-","-","-""#) == true)
            #expect(try server.results(3, "nobody", ["0"]) == ["!there is no handler named nobody"])
        }
    }

    @Test func jobsGetWhatTheirBatchShares() throws {
        let handler = Handler("table") { (key: String, context) -> Int? in
            try context.shared(as: [String: Int].self)[key]
        }
        let text = Handler("text") { (_: Int, context) -> String in
            String(decoding: context.sharedBytes ?? [], as: UTF8.self)
        }
        try withWorker([handler, text]) { server in
            #expect(try server.results(1, "table", ["\"a\""]) == ["!the batch has no shared value"])
            try server.send(
                ServerFrame.encode(SharedValue(batch: TestServer.batch, bytes: Array(#"{"a":1,"b":2}"#.utf8))))
            #expect(try server.results(2, "table", ["\"a\"", "\"b\"", "\"c\""]) == ["1,2,null"])
            #expect(try server.results(3, "text", ["0"]) == [#""{\"a\":1,\"b\":2}""#])
        }
    }

    @Test func whatJobsSayComesBeforeTheirOutcome() throws {
        let handler = Handler("talk") { (count: Int, context) -> Int in
            for number in 1...max(1, count) {
                context.add(2, to: "pages")
                context.report(progress: Double(number) / Double(count), message: "page \(number)")
            }
            var logger = context.logger
            logger[metadataKey: "page"] = "3"
            logger.warning("two\nlines")
            logger.debug("not asked for")
            return count
        }
        try withWorker([handler]) { server in
            try server.run(4, "talk", ["5", "3"])
            try server.waitForDone(4)
            let done = try #require(server.frames.last)
            guard case .done = done else { return }
            let outcomes = try #require(server.frames.firstIndex { if case .outcomes = $0 { true } else { false } })
            let progress = server.frames[..<outcomes].compactMap { frame -> String? in
                guard case .progress(4, let position, let progress) = frame else { return nil }
                return "\(position): \(progress.message ?? "") \(progress.fraction ?? -1)"
            }
            // The first and the last of each job; what is between goes out if the clock ticks at the wrong moment.
            #expect(progress.contains("0: page 1 0.2"))
            #expect(progress.contains("0: page 5 1.0"))
            #expect(progress.last == "1: page 3 1.0")
            let lines = server.frames.filter { if case .logged = $0 { true } else { false } }
            #expect(
                lines == [
                    .logged(chunk: 4, position: 0, level: .warning, text: "two"),
                    .logged(chunk: 4, position: 0, level: .warning, text: "lines page=3"),
                    .logged(chunk: 4, position: 1, level: .warning, text: "two"),
                    .logged(chunk: 4, position: 1, level: .warning, text: "lines page=3"),
                ])
            let sums = server.frames.compactMap { frame -> Int64? in
                guard case .counted(4, 0, _, let deltas) = frame else { return nil }
                return deltas.first { $0.name == "pages" }?.amount
            }
            #expect(sums.reduce(0, +) == 16)
            #expect(try server.page.unsentCounters() == nil)
        }
    }

    @Test func countersOfEachPartGoToItsBatch() throws {
        let handler = Handler("count") { (amount: Int, context) -> Int in
            context.add(amount, to: "sum")
            return amount
        }
        try withWorker([handler]) { server in
            let parts = (0..<3).map { number in
                Chunk.Part(
                    batch: BatchID(ULID(high: 1, low: UInt64(number))), first: 5 * number, count: 2, attempt: 1,
                    input: Array("\(number),10".utf8))
            }
            try server.send(
                ServerFrame.encode(
                    Chunk(id: 9, handler: "count", timeout: nil, parts: parts), ChunkLimits(maximumResultBytes: 100)))
            try server.waitForDone(9)
            var sums: [Int: Int64] = [:]
            var sequences: [UInt64] = []
            for case .counted(9, let position, let sequence, let deltas) in server.frames {
                sums[position, default: 0] += deltas.reduce(0) { $0 + $1.amount }
                sequences.append(sequence)
            }
            #expect(sums == [0: 10, 2: 11, 4: 12])
            #expect(sequences == Array(1...UInt64(sequences.count)))
        }
    }

    @Test func whatHasNotBegunOfARecalledChunkIsNotRun() throws {
        let turns = Monitor<(begun: Int, allowed: Int)>((0, 0))
        let handler = Handler("turn") { (payload: Int, _) -> Int in
            turns.withLock { $0.begun += 1 }
            turns.notifyAll()
            return turns.wait { $0.allowed >= $0.begun ? .done(payload) : .sleep(until: nil) }
        }
        try withWorker([handler]) { server in
            // With two parts, as those behind the running one come back, too.
            let parts = [["1", "2", "3"], ["4", "5"]].map { payloads in
                Chunk.Part(
                    batch: TestServer.batch, first: 0, count: payloads.count, attempt: 1,
                    input: Array(payloads.joined(separator: ",").utf8))
            }
            try server.send(
                ServerFrame.encode(
                    Chunk(id: 1, handler: "turn", timeout: nil, parts: parts), ChunkLimits(maximumResultBytes: 100)))
            turns.withLock { $0.allowed = 1 }
            turns.notifyAll()
            turns.wait { $0.begun == 2 ? .done(()) : .sleep(until: nil) }
            server.page.recall(1)
            turns.withLock { $0.allowed = 100 }
            turns.notifyAll()
            try #require(try server.waitForDone(1))
            #expect(server.outcomes(of: 1).joined(separator: ",") == "1,2")
            #expect(turns.withLock { $0.begun } == 2)
            // Before it is there, and without harm to the one behind it.
            server.page.recall(2)
            #expect(try server.results(2, "turn", ["6", "7"]) == [])
            #expect(try server.results(3, "turn", ["8", "9"]) == ["8,9"])
        }
    }

    @Test func badCountersAreSaidAndTooManyLinesAreCounted() throws {
        let handler = Handler("bad") { (count: Int, context) -> Int in
            context.add(to: "no name")
            for _ in 0..<count { context.logger.info("line") }
            return count
        }
        try withWorker([handler]) { server in
            try server.run(1, "bad", ["1000", "3", "300"])
            try server.waitForDone(1)
            let lines = server.frames.compactMap { frame -> String? in
                if case .logged(_, _, _, let text) = frame { text } else { nil }
            }
            #expect(lines.first?.hasPrefix("the counter no name is left out: ") == true)
            #expect(lines.count < 400)
            var counts = [0, 0, 0]
            for frame in server.frames {
                switch frame {
                case .logged(1, let position, _, _): counts[position] += 1
                case .dropped(1, let position, let count): counts[position] += count
                default: break
                }
            }
            #expect(counts == [1001, 4, 301], "each job answers for its own")
            #expect(server.page.heldLines() == nil)
        }
    }

    /// A handler leaves threads behind that go on speaking about its job.
    @Test func whatComesTooLateIsNotHeard() throws {
        let isOver = Atomic<Bool>(false)
        let contexts = Mutex<[JobContext]>([])
        let handler = Handler("leave") { (payload: Int, context) -> Int in
            contexts.withLock { $0.append(context) }
            return payload
        }
        let speaker = try OwnedThread(name: "speaker") {
            while !isOver.load(ordering: .acquiring) {
                for context in contexts.withLock({ $0.suffix(5) }) {
                    context.add(to: "late")
                    context.report(progress: 0.5)
                    context.logger.info("late")
                }
            }
        }
        defer {
            isOver.store(true, ordering: .releasing)
            speaker.join()
        }
        try withWorker([handler]) { server in
            for id in 1...200 as ClosedRange<UInt64> {
                try server.run(id, "leave", ["1", "2", "3"])
                try server.waitForDone(id)
            }
            // Frames of a chunk come between the end of the chunk before it and its own.
            var ended: UInt64 = 0
            for frame in server.frames {
                switch frame {
                case .done(let chunk, _):
                    #expect(chunk == ended + 1)
                    ended = chunk
                case .outcomes(let chunk, _, _), .progress(let chunk, _, _), .logged(let chunk, _, _, _),
                    .counted(let chunk, _, _, _), .dropped(let chunk, _, _):
                    #expect(chunk == ended + 1)
                case .ready, .setupFailed: Issue.record("\(frame)")
                }
            }
            #expect(ended == 200)
        }
    }
}
