import JobModel
import Testing

@testable import HTTPAPI

struct EventQueueTests {
    private func event(_ text: String) -> [UInt8] { Array(text.utf8) }
    private func text(_ queue: inout EventQueue) -> String { String(decoding: queue.take(), as: UTF8.self) }
    private func batch(_ number: UInt64) -> EventQueue.Subject { .batch(BatchID(ULID(high: 0, low: number))) }

    @Test func `a newer state takes the place of an older one`() {
        var queue = EventQueue(limit: 100)
        #expect(queue.isEmpty)
        queue.push(event("a1 "), about: batch(1))
        queue.push(event("log "))
        queue.push(event("b1 "), about: batch(2))
        queue.push(event("a2 "), about: batch(1))
        #expect(text(&queue) == "log b1 a2 ")
        #expect(queue.isEmpty)
        queue.push(event("a3 "), about: batch(1))
        #expect(text(&queue) == "a3 ")
    }

    @Test func `the oldest are left out when there are too many`() {
        var queue = EventQueue(limit: 10)
        for number in 0..<10 { queue.push(event("\(number)   ")) }
        #expect(queue.bytes <= 10)
        #expect(text(&queue) == ": 8 events were left out\n\n8   9   ")
        queue.push(event(String(repeating: "x", count: 50)))
        #expect(text(&queue).count == 50, "one goes through in any case")
    }

    @Test func `it stays small however much is pushed`() {
        var queue = EventQueue(limit: 1000)
        for number in 0..<100_000 { queue.push(event("0123456789"), about: batch(UInt64(number % 7))) }
        #expect(queue.bytes == 70)
        for _ in 0..<100_000 { queue.push(event("0123456789")) }
        #expect(queue.bytes <= 1000)
        #expect(queue.slots < 3000)
        #expect(text(&queue).hasPrefix(": 99907 events were left out\n\n"))
    }
}
