import JobModel
import Platform
import Testing

@testable import Scheduling

/// Small batches that come one after the other.
struct GatheringTests {
    private func bench(seconds: Double = 1e-6) throws -> Bench {
        var bench = Bench(slots: 4)
        try bench.learn(seconds: seconds)
        return bench
    }

    /// Submits so many batches of one job and returns the jobs that are handed out now.
    private func stream(_ count: Int, _ bench: inout Bench) throws -> Int {
        for _ in 0..<count { bench.submit(1) }
        var started = 0
        while let chunk = try bench.next() { started += chunk.count }
        return started
    }

    @Test func `what comes behind a stream of small batches gathers`() throws {
        var bench = try bench()
        #expect(try stream(20, &bench) == 20)
        #expect(try stream(30, &bench) == 0)
        let due = try #require(bench.state.nextDue)
        #expect(due == bench.now.monotonic + bench.state.limits.gatheringTime)

        // It is not let go a moment too early.
        bench.state.endGathering(at: MonotonicTime(nanoseconds: due.nanoseconds - 1))
        #expect(try bench.next() == nil)
        bench.now.monotonic = due
        bench.state.endGathering(at: due)
        #expect(try bench.start().count == 30)
    }

    @Test func `others do not wait for them`() throws {
        var bench = try bench()
        try bench.learn("other", seconds: 1e-6)
        #expect(try stream(20, &bench) == 20)
        bench.submit(1)
        bench.submit(1, handler: "other")
        #expect(try bench.start().handler == "other")
        #expect(try bench.next() == nil)
    }

    @Test func `lone batches never wait`() throws {
        var bench = try bench()
        for _ in 0..<4 { #expect(try stream(1, &bench) == 1) }
        #expect(bench.state.nextDue == nil)
    }

    @Test func `a large batch never waits`() throws {
        var bench = try bench(seconds: 1e-9)
        // In segments that are much smaller than a chunk.
        bench.submit(40_000, segment: 100)
        var jobs = 0
        while let chunk = try bench.next() {
            jobs += chunk.count
            bench.complete(chunk, secondsPerJob: 1e-9)
            #expect(bench.state.nextDue == nil)
        }
        #expect(jobs == 40_000)
    }

    @Test func `jobs that are worth their way never wait`() throws {
        var bench = try bench(seconds: 1e-3)
        #expect(try stream(16, &bench) > 0)
        #expect(bench.state.nextDue == nil)
    }

    @Test func `two handlers gather each for itself`() throws {
        var bench = try bench()
        try bench.learn("other", seconds: 1e-6)
        #expect(try stream(20, &bench) == 20)
        let first = try #require(bench.state.nextDue)
        bench.now.monotonic = bench.now.monotonic + TimeSpan.milliseconds(1)
        for _ in 0..<20 { bench.submit(1, handler: "other") }
        #expect(try bench.start().count == 20)
        #expect(bench.state.nextDue == first)
        bench.state.endGathering(at: first)
        #expect(bench.state.nextDue == first + TimeSpan.milliseconds(1))
        #expect(try stream(5, &bench) == 5)
    }
}
