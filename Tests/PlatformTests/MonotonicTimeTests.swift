import Platform
import Testing

@Suite struct MonotonicTimeTests {
    @Test func `time spans saturate`() {
        #expect(TimeSpan(seconds: .infinity).nanoseconds == .max)
        #expect(TimeSpan(seconds: -.infinity).nanoseconds == .min)
        #expect(TimeSpan(seconds: .nan) == .zero)
        #expect(TimeSpan(seconds: 1.5).nanoseconds == 1_500_000_000)
        #expect(MonotonicTime.now() + TimeSpan(seconds: .infinity) == MonotonicTime(nanoseconds: .max))
    }

    @Test func `the clock never goes back`() {
        let first = MonotonicTime.now()
        #expect(MonotonicTime.now() >= first)
    }
}
