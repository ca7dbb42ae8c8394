import JobModel
import JobStore
import Platform
import Testing

@testable import Scheduling

struct WriteQueueTests {
    private var queue = WriteQueue(limits: ScheduleLimits())
    private var work = BatchWork(
        BatchRecord(
            id: BatchID(ULID(high: 0, low: 1)), handler: "work", options: BatchOptions(), total: 10_000,
            createdAt: Timestamp(microseconds: 0)),
        pending: PendingRanges(0..<0), resting: 0, track: 0, key: Track.Key(lane: 0, handler: 0), group: 0,
        generation: 1)
    private let start = MonotonicTime(nanoseconds: 0)

    private mutating func record(_ first: Int, _ body: String, outcome: Outcome = .succeeded, count: Int = 1) {
        queue.recorder.record(
            OutcomeRun(first: first, count: count, outcome: outcome, body: Array(body.utf8)), of: &work, at: 0,
            time: Timestamp(microseconds: 0))
    }

    private func runs(_ ticket: WriteQueue.Ticket?) -> [OutcomeRun]? {
        guard case .record(let group) = ticket?.write else { return nil }
        return group.recordings.flatMap(\.runs)
    }

    /// What is to be told to the store now.
    private mutating func next(after rest: Int64 = 0) throws -> WriteQueue.Ticket {
        let ticket = queue.next(at: start + .milliseconds(rest))
        return try #require(ticket)
    }

    private mutating func isWaiting() -> Bool { queue.next(at: start) == nil }

    private func order(_ number: UInt64) -> CancelOrder {
        CancelOrder(
            batch: BatchID(ULID(high: 0, low: number)), dropped: nil, running: [], time: Timestamp(microseconds: 0))
    }

    @Test mutating func `neighbours with the same outcome become one run`() throws {
        record(0, "1,2", count: 2)
        record(2, "3")
        record(3, "{}", outcome: .failed)
        record(5, "6")
        record(6, "7")
        record(7, "", outcome: .cancelled, count: 3)
        record(10, "", outcome: .cancelled, count: 2)
        let ticket = try next()
        #expect(
            runs(ticket) == [
                OutcomeRun(first: 0, count: 3, outcome: .succeeded, body: Array("1,2,3".utf8)),
                OutcomeRun(first: 3, count: 1, outcome: .failed, body: Array("{}".utf8)),
                OutcomeRun(first: 5, count: 2, outcome: .succeeded, body: Array("6,7".utf8)),
                OutcomeRun(first: 7, count: 5, outcome: .cancelled, body: []),
            ])
    }

    @Test mutating func `runs do not grow without bound`() throws {
        let body = String(repeating: "1", count: 200_000)
        record(0, body)
        record(1, body)
        let ticket = try next()
        #expect(runs(ticket)?.count == 2)
    }

    @Test mutating func `one group of recordings at a time`() throws {
        record(0, "1")
        let first = try next()
        record(1, "2")
        let isWaiting = self.isWaiting()
        #expect(isWaiting)
        #expect(queue.bytes > 0 && !queue.isEmpty)
        _ = queue.completed(first.number)
        let second = try next()
        #expect(runs(second)?.map(\.first) == [1])
        _ = queue.completed(second.number)
        #expect(queue.isEmpty && queue.bytes == 0)
    }

    @Test mutating func `cancellations go together, after what was recorded before them`() throws {
        record(0, "1")
        queue.enqueue(order(1))
        queue.enqueue(order(2))
        record(1, "2")
        let first = try next()
        #expect(runs(first)?.map(\.first) == [0])
        var isWaiting = self.isWaiting()
        #expect(isWaiting)
        _ = queue.completed(first.number)
        let cancellations = [try next(), try next()]
        isWaiting = self.isWaiting()
        #expect(isWaiting, "what was recorded later must wait")
        for ticket in cancellations { _ = queue.completed(ticket.number) }
        let last = try next()
        #expect(runs(last)?.map(\.first) == [1])
    }

    @Test mutating func `a full store gets the same again, in the same order, after growing rests`() throws {
        record(0, "1")
        let first = try next()
        record(1, "2")
        queue.refused(first.number, at: start)
        #expect(queue.isStoreFull)
        #expect(queue.notBefore == start + .milliseconds(100))
        let isWaiting = self.isWaiting()
        #expect(isWaiting)

        let again = try next(after: 100)
        #expect(runs(again)?.map(\.first) == [0])
        #expect(queue.notBefore == nil && queue.isStoreFull, "the answer is waited for, not the time")
        queue.refused(again.number, at: start + .milliseconds(100))
        #expect(queue.notBefore == start + .milliseconds(300))

        let third = try next(after: 300)
        _ = queue.completed(third.number)
        #expect(!queue.isStoreFull && queue.notBefore == nil)
        let last = try next()
        #expect(runs(last)?.map(\.first) == [1])
    }

    @Test mutating func `what is refused together is one refusal`() throws {
        for number in 1...10 { queue.enqueue(order(UInt64(number))) }
        var tickets: [WriteQueue.Ticket] = []
        while let ticket = queue.next(at: start) { tickets.append(ticket) }
        #expect(tickets.count == 10)
        for ticket in tickets { queue.refused(ticket.number, at: start) }
        #expect(queue.notBefore == start + .milliseconds(100))
        var again = 0
        while queue.next(at: start + .milliseconds(100)) != nil { again += 1 }
        #expect(again == 10)
    }

    @Test mutating func `knows whose outcome is on its way`() throws {
        record(4, "1")
        let first = try next()
        record(6, "1")
        queue.enqueue(order(1))
        record(8, "1")
        #expect((4...9).filter { queue.holdsOutcome(of: $0, since: work.recording) } == [4, 6, 8])
        _ = queue.completed(first.number)
        #expect((4...9).filter { queue.holdsOutcome(of: $0, since: work.recording) } == [6, 8])
        var other = work
        other.recording = nil
        #expect(!queue.holdsOutcome(of: 6, since: other.recording))
    }

    @Test mutating func `a large group is closed, and the order stays`() throws {
        let body = String(repeating: "1", count: 1 << 20)
        for index in 0..<20 {
            queue.sealIfLarge()
            record(index, body)
        }
        var firsts: [[Int]] = []
        while let ticket = queue.next(at: start) {
            firsts.append(try #require(runs(ticket)).map(\.first))
            _ = queue.completed(ticket.number)
        }
        #expect(firsts == [Array(0..<8), Array(8..<16), Array(16..<20)])
        #expect(queue.isEmpty && queue.bytes == 0)
    }
}
