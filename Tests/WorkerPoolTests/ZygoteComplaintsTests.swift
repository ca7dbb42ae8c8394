import Platform
import Testing

@testable import WorkerPool

struct ZygoteComplaintsTests {
    @Test func whatIsSaidOnceIsNotSaidEveryTenSeconds() {
        var complaints = ZygoteComplaints()
        let start = MonotonicTime.now()
        func isNews(_ reason: String, _ place: Int = 0, after seconds: Double) -> Bool {
            complaints.isNews(reason, of: place, now: start + TimeSpan(seconds: seconds))
        }
        #expect(isNews("no module", after: 0))
        #expect(!isNews("no module", after: 10))
        #expect(isNews("no module", 1, after: 10))
        #expect(isNews("no function", after: 20))
        #expect(isNews("no module", after: 30))
        #expect(!isNews("no module", after: 629))
        #expect(isNews("no module", after: 630))
        complaints.forget(0)
        #expect(isNews("no module", after: 640))
    }
}
