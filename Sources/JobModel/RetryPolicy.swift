/// How often a job is tried, and how long it rests between two tries.
package struct RetryPolicy: Hashable, Sendable {
    /// All tries together, the first one included. 1 means no retry.
    package var maximumAttempts: Int
    package var backoff: Backoff

    package init(maximumAttempts: Int = 3, backoff: Backoff = Backoff()) {
        self.maximumAttempts = maximumAttempts
        self.backoff = backoff
    }

    /// The rest in seconds before the next try, or nil if `failedAttempts` tries were all that is allowed.
    package func delay(afterFailedAttempts failedAttempts: Int, using random: inout some RandomNumberGenerator)
        -> Double?
    {
        guard failedAttempts < maximumAttempts else { return nil }
        return backoff.delay(afterFailedAttempts: failedAttempts, using: &random)
    }

    package static let attemptsRange = 1...100
}

/// Exponential backoff with jitter: `initial × factor^(n−1)`, at most `maximum`, then up to `jitter` of it is taken away.
package struct Backoff: Hashable, Sendable {
    /// Seconds before the second try.
    package var initial: Double
    package var factor: Double
    /// Seconds; no rest is longer.
    package var maximum: Double
    /// From 0 (none) to 1: the share of each rest that is random.
    package var jitter: Double

    package init(initial: Double = 1, factor: Double = 2, maximum: Double = 300, jitter: Double = 0.1) {
        self.initial = initial
        self.factor = factor
        self.maximum = maximum
        self.jitter = jitter
    }

    package func delay(afterFailedAttempts failedAttempts: Int, using random: inout some RandomNumberGenerator)
        -> Double
    {
        var delay = min(initial, maximum)
        for _ in 1..<max(1, failedAttempts) where delay < maximum {
            delay = min(maximum, delay * factor)
        }
        return jitter > 0 ? delay * (1 - Double.random(in: 0...jitter, using: &random)) : delay
    }
}
