import Platform
import Testing

@testable import Scheduling

struct RetryTimersTests {
    @Test func `the first to be due comes first`() {
        var timers = RetryTimers()
        var random = SplitMix(seed: 4)
        let dues = (0..<1000).map { _ in Int64.random(in: 0..<500, using: &random) }
        for (index, due) in dues.enumerated() {
            timers.insert(
                RetryTimer(
                    due: MonotonicTime(nanoseconds: due), place: 0, generation: 0,
                    retry: ReadyRetry(index: index, failedAttempts: 1), isIsolated: false))
        }
        var popped: [Int64] = []
        while let timer = timers.popFirst() {
            #expect(timer.due.nanoseconds == dues[timer.retry.index])
            popped.append(timer.due.nanoseconds)
        }
        #expect(popped == dues.sorted())
        #expect(timers.first == nil)
    }
}
