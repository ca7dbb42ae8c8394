import Platform

/// How long to wait before the next try of something that keeps failing: not at all after the first failure, then 100 ms,
/// doubling up to 10 s, or to what is said.
struct Backoff: Equatable {
    private static let first = TimeSpan.milliseconds(100)
    static let longest = TimeSpan.milliseconds(10_000)
    private let limit: TimeSpan
    private var failures: Int

    /// - Parameters:
    ///   - failures: how many there have been before.
    ///   - limit: no pause is longer.
    init(after failures: Int = 0, limit: TimeSpan = Backoff.longest) {
        self.failures = failures
        self.limit = limit
    }

    mutating func failed() -> TimeSpan {
        failures += 1
        if failures == 1 { return .zero }
        let doublings = min(failures - 2, 16)
        return min(limit, TimeSpan(nanoseconds: Backoff.first.nanoseconds << Int64(doublings)))
    }

    mutating func succeeded() { failures = 0 }
}
