import Foundation
import Glibc
import JobModel
import Logging
import Platform
import Testing

@testable import WorkerPool

@Suite struct PoolTests {
    @Test func runsAChunkAndKeepsTheOrder() throws {
        let test = try TestPool()
        let report = try test.run(TestPool.chunk(1, "square", (0..<1000).map(String.init)))
        #expect(report.results == (0..<1000).map { String($0 * $0) })
        guard case .completed(let busy) = report.end else {
            Issue.record("\(report.end)")
            return
        }
        #expect(busy > 0 && busy < 10)
    }

    @Test func runsManyChunksOnSeveralWorkers() throws {
        let test = try TestPool(slots: 3)
        try test.waitForSlots(3)
        #expect(test.pool.slots == 3)
        for round in 0..<20 {
            let ids = (0..<3).map { UInt64(round * 3 + $0 + 1) }
            for id in ids { test.pool.run(TestPool.chunk(id, "square", (0..<100).map { String($0 + Int(id)) })) }
            for id in ids {
                #expect(try test.report(of: id).results == (0..<100).map { String(($0 + Int(id)) * ($0 + Int(id))) })
            }
        }
    }

    @Test func worksInParallel() throws {
        let test = try TestPool(slots: 2)
        let begin = MonotonicTime.now()
        test.pool.run(TestPool.chunk(1, "sleep", ["0.5"]))
        test.pool.run(TestPool.chunk(2, "sleep", ["0.5"]))
        #expect(try test.report(of: 1).results == ["0.5"])
        #expect(try test.report(of: 2).results == ["0.5"])
        #expect((MonotonicTime.now() - begin).seconds < 0.95)
    }

    @Test func doesNotMixThePartsOfAChunk() throws {
        let test = try TestPool()
        let other = BatchID(ULID(high: 7, low: 8))
        let chunk = Chunk(
            id: 4, handler: "echo", timeout: nil,
            parts: [
                TestPool.part(["1", "2"]),
                Chunk.Part(
                    batch: other, first: 10, count: 3, attempt: 2, input: Array("\"a\" , null,\n{\"b\":[]}".utf8)),
                TestPool.part(["5"]),
            ])
        let report = try test.run(chunk)
        #expect(report.results == ["1", "2", "\"a\"", "null", "{\"b\":[]}", "5"])
        #expect(report.runs.map(\.count) == [2, 3, 1])
    }

    @Test func tellsHandlersWhichJobItIs() throws {
        let test = try TestPool()
        let part = TestPool.part(["0"], first: 41, attempt: 3)
        let report = try test.run(Chunk(id: 1, handler: "identity", timeout: nil, parts: [part]))
        let batch = TestPool.batch
        #expect(report.results == ["[\"\(JobID(batch: batch, index: 41))\",\"\(batch)\",\"41\",\"3\"]"])
    }

    @Test func keepsFailuresInTheirPlace() throws {
        let test = try TestPool()
        let report = try test.run(TestPool.chunk(1, "square", ["2", "\"x\"", "9223372036854775807", "3"]))
        #expect(report.results == ["4", nil, nil, "9"])
        guard case .failure(var wrong) = report.jobs[1], case .failure(let overflow) = report.jobs[2] else {
            Issue.record("\(report.jobs)")
            return
        }
        wrong.death = nil
        #expect(
            wrong == Failure(kind: .exception, message: "the payload is not a number", type: "DecodingError"))
        #expect(overflow.type == "Overflow")
        #expect(report.runs.map(\.count) == [1, 1, 1, 1])
        guard case .completed = report.end else {
            Issue.record("\(report.end)")
            return
        }
    }

    @Test func handsBackWhatHasNotBegunOfARecalledChunk() throws {
        let test = try TestPool()
        try test.waitForSlots(1)
        let worker = try test.run(TestPool.chunk(1, "whoami", ["0"])).results
        let gate = markerPath()
        test.pool.run(TestPool.chunk(2, "gate", ["\"\"", "\"\(gate)\""] + [String](repeating: "\"\"", count: 100)))
        try eventually("the second job runs") { access(gate, F_OK) == 0 }
        test.pool.recall(2)
        // The pool's thread has done what was asked of it before it answers.
        _ = test.pool.snapshot()
        unlink(gate)
        let report = try test.report(of: 2)
        #expect(report.results == ["\"\"", "\"open\""])
        #expect(report.end == .returned)
        #expect(try test.run(TestPool.chunk(3, "whoami", ["0"])).results == worker, "the worker goes on")
    }

    @Test func givesBackTheChunksOfAnUnknownHandler() throws {
        let test = try TestPool()
        let report = try test.run(TestPool.chunk(1, "nobody", ["1", "2"]))
        #expect(report.end == .returned)
        #expect(report.jobs.isEmpty)
        let unhealthy = try test.waitForHealth(of: "nobody", isUnhealthy: true)
        #expect(unhealthy?.reason == "the handler is not registered")
    }

    @Test(arguments: [300_000, 3_000_000]) func passesResultsLargerThanThePage(size: Int) throws {
        let test = try TestPool()
        let report = try test.run(TestPool.chunk(1, "letters", ["1", String(size), "2", String(size), "100000", "3"]))
        #expect(report.results.map { $0?.utf8.count } == [1, size, 2, size, 100_000, 3].map { $0 + 2 })
    }

    @Test func failsAJobWhoseResultIsTooLarge() throws {
        let test = try TestPool(maximumResultBytes: 1000)
        let report = try test.run(TestPool.chunk(1, "letters", ["1", "999", "998"]))
        #expect(report.results.map { $0?.utf8.count } == [3, nil, 1000])
        guard case .failure(let failure) = report.jobs[1] else {
            Issue.record("\(report.jobs)")
            return
        }
        #expect(failure.kind == .outputLimit)
        #expect(failure.message == "the result has 1001 bytes, 1000 are allowed")
    }

    @Test func passesChunksLargerThanASocketHolds() throws {
        let test = try TestPool()
        let payload = "\"" + String(repeating: "b", count: 5_000_000) + "\""
        let report = try test.run(TestPool.chunk(1, "echo", [payload, "1"]))
        // Refused for its size, but read completely.
        #expect(report.results == [nil, "1"])
        let smaller = "\"" + String(repeating: "b", count: 3_000_000) + "\""
        #expect(try test.run(TestPool.chunk(2, "echo", [smaller, "1"])).results == [smaller, "1"])
    }

    @Test func aLoneChunkComesBackSoon() throws {
        let test = try TestPool()
        try test.waitForSlots(1)
        _ = try test.run(TestPool.chunk(1, "square", ["1"]))
        var times: [Double] = []
        for id in 2...200 {
            let begin = MonotonicTime.now()
            _ = try test.run(TestPool.chunk(UInt64(id), "square", ["1"]))
            times.append((MonotonicTime.now() - begin).seconds)
        }
        times.sort()
        print("round trip of a lone chunk: p50 \(Int(times[100] * 1e6)) µs, p95 \(Int(times[190] * 1e6)) µs")
        // Far above what it takes, so that a busy machine does not fail it; a missed wake-up would.
        #expect(times[100] < 0.02)
    }

    @Test func aWorkerHoldsNothingButItsSocket() throws {
        let test = try TestPool(slots: 2)
        #expect(
            try test.run(TestPool.chunk(1, "descriptors", ["0"])).runs == [
                .succeeded(count: 1, body: Array("[0,1,2,3]".utf8))
            ])
    }

    @Test func refusesToStartWithoutItsProgram() {
        let pool = Pool(
            configuration: PoolConfiguration(
                slots: 1, runtimes: [.swift(executable: "/does/not/exist", handlers: [])]),
            logger: .init(label: "test")
        ) { _ in }
        #expect(throws: SystemError.self) { try pool.start() }
        pool.stop()
    }

    @Test func leaksNoDescriptorAndLeavesNobodyBehind() throws {
        // A crash costs a fork and a second one for the worker beside it now and then.
        let crashes = ProcessInfo.processInfo.environment["JOBMILL_LONG_TESTS"] == nil ? 300 : 10_000
        let (left, right) = try SocketPair(.messages).split()
        let own = Descriptor(adopting: left)
        let server: Int32
        do {
            let remote = Descriptor(adopting: right)
            server = try ChildProcess.spawn(
                try TestPool.host(), arguments: ["host", "serve", String(crashes)], channel: remote)
        }
        guard case .message(let message) = try SocketTransfer.receiveMessage(own.rawValue, limit: 100) else {
            Issue.record("the server has ended")
            return
        }
        let numbers = String(decoding: message.bytes, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
        try #require(numbers.count == 4)
        #expect(numbers[0] == numbers[1], "descriptors before and after \(crashes) crashes and forks")
        let (worker, runaway) = (numbers[2], numbers[3])
        let zygote = try #require(parent(of: worker))
        #expect(parent(of: zygote) == server)
        #expect(isAlive(worker))
        #expect(isAlive(runaway))
        kill(server, SIGKILL)
        try eventually("all follow their server") { !isAlive(worker) && !isAlive(zygote) && !isAlive(runaway) }
        _ = try ChildProcess.awaitEnd(of: server, atMost: TimeSpan(seconds: 5))
    }
}
