import JobModel
import Platform
import Testing

@testable import WorkerKit

/// What is let out and what is held back of what jobs say.
@Suite struct JobSignsTests {
    private func job(_ index: Int) -> JobReference {
        JobReference(part: JobPart(batch: BatchID(ULID(high: 1, low: 2)), first: 0, attempt: 1), index: index)
    }

    private func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000 * (5000 + milliseconds))
    }

    private func lets(
        _ gate: inout ProgressGate, _ progress: JobProgress, _ job: JobReference, _ milliseconds: Int64
    ) -> Bool {
        gate.lets(progress, job, at(milliseconds))
    }

    /// How many of 300 lines go out.
    private func lines(_ gate: inout LogGate, _ milliseconds: Int64) -> Int {
        (0..<300).reduce(0) { count, _ in count + (gate.lets(at(milliseconds)) ? 1 : 0) }
    }

    @Test func countersAddUp() {
        var table = CounterTable()
        let job = job(0)
        #expect(table.frame == nil)
        #expect(table.add(2, to: "a", job, at(0)) == .new(index: 0))
        #expect(table.add(3, to: "b", job, at(0)) == .new(index: 1))
        #expect(table.add(-5, to: "a", job, at(0)) == .sum(index: 0, -3))
        #expect(
            table.frame
                == WorkerFrame.counted(
                    chunk: 0, position: 0, sequence: 1,
                    [CounterDelta(name: "a", amount: -3), CounterDelta(name: "b", amount: 3)]))
        #expect(!table.areOld(at(249)))
        #expect(table.areOld(at(250)))
        table.clear(at(250))
        #expect(table.frame == nil)
        #expect(table.sequence == 2)
        #expect(table.add(1, to: "b", job, at(250)) == .new(index: 0))
    }

    @Test func countersDoNotOverflow() {
        var table = CounterTable()
        _ = table.add(.max, to: "a", job(0), at(0))
        #expect(table.add(1, to: "a", job(0), at(0)) == .sum(index: 0, .max))
        _ = table.add(.min, to: "b", job(0), at(0))
        #expect(table.add(-1, to: "b", job(0), at(0)) == .sum(index: 1, .min))
    }

    @Test func countersThatDoNotFitAreLeftOut() {
        var table = CounterTable()
        for name in ["", "a b", "ä", String(repeating: "a", count: 56)] {
            #expect(table.add(1, to: name, job(0), at(0)) == nil)
        }
        for index in 0..<64 { #expect(table.add(1, to: "c\(index)", job(0), at(0)) == .new(index: index)) }
        #expect(table.add(1, to: "one-too-many", job(0), at(0)) == nil)
        #expect(table.add(1, to: "c63", job(0), at(0)) == .sum(index: 63, 2))
    }

    @Test func progressGoesOutTenTimesASecondAndAtTheEnd() {
        var gate = ProgressGate()
        let first = job(0)
        #expect(lets(&gate, JobProgress(fraction: 0), first, 0))
        #expect(!lets(&gate, JobProgress(fraction: 0.1), first, 99))
        #expect(lets(&gate, JobProgress(fraction: 0.2), first, 100))
        #expect(gate.takePending() == nil, "a newer one has gone out")
        #expect(!lets(&gate, JobProgress(fraction: 0.3), first, 101))
        #expect(!lets(&gate, JobProgress(fraction: 0.4), first, 102))
        #expect(gate.takePending()?.progress.fraction == 0.4)
        #expect(gate.takePending() == nil)
        #expect(lets(&gate, JobProgress(fraction: 0), job(1), 103), "the next job need not wait")
    }

    @Test func logLinesHaveARate() {
        var gate = LogGate()
        #expect(lines(&gate, 0) == 200)
        #expect(lines(&gate, 500) == 50)
        #expect(lines(&gate, 60_000) == 200, "credit does not pile up")
    }

    @Test func sharedValuesThatCameLastAreKept() throws {
        func batch(_ number: UInt64) -> BatchID { BatchID(ULID(high: 0, low: number)) }
        var values = SharedValues()
        for number: UInt64 in [1, 2, 3, 4] {
            values.add(SharedValue(batch: batch(number), bytes: Array("\(number)".utf8)))
        }
        values.add(SharedValue(batch: batch(1), bytes: Array("10".utf8)))
        values.add(SharedValue(batch: batch(5), bytes: Array("5".utf8)))
        #expect(values[batch(2)] == nil)
        #expect(try values[batch(1)]?.value(as: Int.self) == 10)
        #expect(try values[batch(5)]?.value(as: Double.self) == 5)
        #expect(try values[batch(5)]?.value(as: Int.self) == 5)
    }

    @Test func sharedValuesThatDoNotFitAreRefused() {
        let content = SharedContent(
            SharedValue(batch: BatchID(ULID(high: 0, low: 1)), bytes: Array(#"{"a":[1,"b"]}"#.utf8)))
        do {
            _ = try content.value(as: [String: [Int]].self)
            Issue.record("it cannot fit")
        } catch {
            #expect("\(error)".hasPrefix("the shared value does not fit at /a/1:"))
        }
        #expect(throws: JobError.self) { try content.value(as: Int.self) }
    }
}
