import JobModel
import Testing

@Suite struct RetryPolicyTests {
    @Test func growsByItsFactorUpToTheMaximum() {
        let backoff = Backoff(initial: 1, factor: 3, maximum: 20, jitter: 0)
        var random = SystemRandomNumberGenerator()
        let delays = (1...5).map { backoff.delay(afterFailedAttempts: $0, using: &random) }
        #expect(delays == [1, 3, 9, 20, 20])
    }

    @Test func anInitialRestAboveTheMaximumIsCut() {
        var random = SystemRandomNumberGenerator()
        let backoff = Backoff(initial: 50, factor: 2, maximum: 10, jitter: 0)
        #expect(backoff.delay(afterFailedAttempts: 1, using: &random) == 10)
    }

    @Test func manyAttemptsTakeNoTimeAndStayFinite() {
        var random = SystemRandomNumberGenerator()
        let backoff = Backoff(initial: 1, factor: 1e300, maximum: 1e308, jitter: 0)
        #expect(backoff.delay(afterFailedAttempts: 100, using: &random) == 1e308)
    }

    @Test func jitterOnlyShortens() {
        let backoff = Backoff(initial: 100, factor: 1, maximum: 100, jitter: 0.25)
        var random = SystemRandomNumberGenerator()
        let delays = (0..<200).map { _ in backoff.delay(afterFailedAttempts: 1, using: &random) }
        #expect(delays.allSatisfy { (75...100).contains($0) })
        #expect(Set(delays).count > 100)
    }

    @Test func allAttemptsTogetherAreLimited() {
        var random = SystemRandomNumberGenerator()
        let policy = RetryPolicy(maximumAttempts: 3, backoff: Backoff(initial: 2, factor: 2, maximum: 60, jitter: 0))
        #expect(policy.delay(afterFailedAttempts: 1, using: &random) == 2)
        #expect(policy.delay(afterFailedAttempts: 2, using: &random) == 4)
        #expect(policy.delay(afterFailedAttempts: 3, using: &random) == nil)
        #expect(RetryPolicy(maximumAttempts: 1).delay(afterFailedAttempts: 1, using: &random) == nil)
    }
}
