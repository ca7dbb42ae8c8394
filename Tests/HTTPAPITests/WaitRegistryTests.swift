import JobModel
import JobStore
import Platform
import Testing

@testable import HTTPAPI

struct WaitRegistryTests {
    private func record(_ number: UInt64) -> BatchRecord {
        BatchRecord(
            id: BatchID(ULID(high: number, low: 0)), handler: "x", options: BatchOptions(), total: 1, phase: .completed,
            createdAt: Timestamp(microseconds: 0))
    }

    /// What waiters were told, in order.
    private final class Heard: Sendable {
        let ends = Monitor<[String]>([])

        func hear(_ name: String) -> @Sendable (WaitRegistry.End) -> Void {
            { [self] end in
                ends.withLock { ends in
                    switch end {
                    case .finished: ends.append("\(name) finished")
                    case .outOfTime: ends.append("\(name) late")
                    }
                }
                ends.notifyAll()
            }
        }

        func first(_ count: Int) -> [String] {
            let deadline = MonotonicTime.now() + TimeSpan(seconds: 10)
            return ends.wait { ends in
                ends.count >= count || MonotonicTime.now() >= deadline ? .done(ends) : .sleep(until: deadline)
            }
        }
    }

    @Test func onlyTheirOwnBatchEndsAWait() throws {
        let registry = WaitRegistry()
        try registry.start()
        defer { registry.stop() }
        let heard = Heard()
        let (first, second) = (record(1), record(2))
        _ = registry.register(first.id, seconds: 100, heard.hear("a"))
        _ = registry.register(first.id, seconds: 100, heard.hear("b"))
        _ = registry.register(second.id, seconds: 100, heard.hear("c"))
        registry.storeDidCommit([.submitted(second), .finished(first), .cancelRequested(second.id), .deliveriesAdded])
        #expect(heard.first(2) == ["a finished", "b finished"])
        registry.storeDidCommit([.finished(first), .finished(second)])
        #expect(heard.first(3) == ["a finished", "b finished", "c finished"])
    }

    @Test func timeEndsAWaitInOrder() throws {
        let registry = WaitRegistry()
        try registry.start()
        defer { registry.stop() }
        let heard = Heard()
        let start = MonotonicTime.now()
        _ = registry.register(record(1).id, seconds: 100, heard.hear("never"))
        _ = registry.register(record(2).id, seconds: 1, heard.hear("second"))
        _ = registry.register(record(3).id, seconds: 0, heard.hear("first"))
        #expect(heard.first(2) == ["first late", "second late"])
        let elapsed = (MonotonicTime.now() - start).seconds
        #expect(elapsed >= 1 && elapsed < 9)
    }

    @Test func whoWithdrawsIsNotCalled() throws {
        let registry = WaitRegistry()
        try registry.start()
        defer { registry.stop() }
        let heard = Heard()
        let batch = record(1)
        let ticket = registry.register(batch.id, seconds: 100, heard.hear("a"))
        _ = registry.register(batch.id, seconds: 100, heard.hear("b"))
        #expect(registry.withdraw(ticket))
        #expect(!registry.withdraw(ticket))
        registry.storeDidCommit([.finished(batch)])
        #expect(heard.first(1) == ["b finished"])
    }

    @Test func stoppingEndsAllWaits() throws {
        let registry = WaitRegistry()
        try registry.start()
        let heard = Heard()
        _ = registry.register(record(1).id, seconds: 100, heard.hear("a"))
        registry.stop()
        #expect(heard.first(1) == ["a late"])
        _ = registry.register(record(1).id, seconds: 100, heard.hear("b"))
        #expect(heard.first(2) == ["a late", "b late"])
        registry.stop()
    }
}
