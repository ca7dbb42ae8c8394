import Testing
import Webhooks

@Suite struct RetryScheduleTests {
    @Test func followsStandardWebhooks() {
        var random = SystemRandomNumberGenerator()
        let schedule = RetrySchedule(jitter: 0)
        let delays = (0...10).map { schedule.delay(afterAttempts: $0, using: &random) }
        #expect(delays == [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, nil])
    }

    @Test func jitterOnlyAdds() {
        var random = SystemRandomNumberGenerator()
        let schedule = RetrySchedule(delays: [0, 100], jitter: 0.1)
        let delays = (0..<200).compactMap { _ in schedule.delay(afterAttempts: 1, using: &random) }
        #expect(delays.count == 200)
        #expect(delays.allSatisfy { (100...110).contains($0) })
        #expect(Set(delays).count > 100)
    }
}
