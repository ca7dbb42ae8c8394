import JobModel
import JobStore
import Testing
import Webhooks

@Suite struct DeliveryDecisionTests {
    static let now = Timestamp(microseconds: 784_111_777_000_000)

    private func decide(
        _ outcome: DeliveryOutcome, attempts: Int = 0, delays: [Double] = [0, 5, 300]
    ) -> DeliveryAttempt {
        var random = SystemRandomNumberGenerator()
        return DeliveryDecision.attempt(
            of: Sample.delivery(attempts: attempts), outcome: outcome,
            schedule: RetrySchedule(delays: delays, jitter: 0), now: Self.now, using: &random)
    }

    private func retry(_ seconds: Double) -> DeliveryAttempt.Result {
        .retry(at: Self.now.advanced(bySeconds: seconds))
    }

    @Test(arguments: [200, 201, 202, 204, 299])
    func only2xxIsSuccess(status: Int) {
        let attempt = decide(.answered(status: status, retryAfter: nil))
        #expect(attempt.result == .delivered)
        #expect(attempt.status == status)
        #expect(attempt.error == nil)
        #expect(attempt.id == Sample.delivery().id)
    }

    @Test(arguments: [301, 302, 304, 307, 400, 404, 500, 501, 600, 0])
    func everyOtherStatusIsTriedAgain(status: Int) {
        let attempt = decide(.answered(status: status, retryAfter: "1000"))
        #expect(attempt.result == retry(5))
        #expect(attempt.status == status)
        #expect(attempt.error?.hasPrefix("the endpoint answered \(status)") == true)
    }

    @Test func goneIsGivenUp() {
        #expect(decide(.answered(status: 410, retryAfter: nil)).result == .failed)
    }

    @Test func silenceIsTriedAgain() {
        let attempt = decide(.unanswered("no answer"), attempts: 1)
        #expect(
            attempt == DeliveryAttempt(id: Sample.delivery().id, result: retry(300), status: nil, error: "no answer"))
    }

    @Test func whatCannotBeSentIsGivenUp() {
        #expect(decide(.undeliverable("bad")).result == .failed)
    }

    @Test func anExhaustedScheduleIsGivenUp() {
        #expect(decide(.answered(status: 500, retryAfter: nil), attempts: 1).result == retry(300))
        let last = decide(.answered(status: 503, retryAfter: "10"), attempts: 2)
        #expect(last.result == .failed)
        #expect(last.status == 503)
        #expect(decide(.unanswered("x"), attempts: 7).result == .failed)
    }

    @Test(arguments: [
        ("120", 120.0), ("1", 5), ("0", 5), ("99999999999999999999", 86_400),
        ("Sun, 06 Nov 1994 08:51:37 GMT", 120), ("Sun, 06 Nov 1994 08:00:00 GMT", 5), ("soon", 5), ("-7", 5), ("", 5),
        ("Sun, 06 Nov 1999 08:00:00 GMT", 86_400),
    ])
    func retryAfterPutsOffButNeverForward(value: String, seconds: Double) {
        for status in [429, 502, 503, 504] {
            #expect(decide(.answered(status: status, retryAfter: value)).result == retry(seconds))
        }
    }
}
