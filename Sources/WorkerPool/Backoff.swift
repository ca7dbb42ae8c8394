import Platform

/// How long to wait before the next try of something that keeps failing: not at all after the first failure, then 100 ms,
/// doubling up to 10 s.
struct Backoff: Equatable {
    private static let first = TimeSpan.milliseconds(100)
    private static let longest = TimeSpan.milliseconds(10_000)
    private var failures = 0

    mutating func failed() -> TimeSpan {
        failures += 1
        if failures == 1 { return .zero }
        let doublings = min(failures - 2, 16)
        return min(Backoff.longest, TimeSpan(nanoseconds: Backoff.first.nanoseconds << Int64(doublings)))
    }

    mutating func succeeded() { failures = 0 }
}
