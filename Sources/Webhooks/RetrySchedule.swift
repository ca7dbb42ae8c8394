/// When a delivery that failed is tried again. The default is the schedule that Standard Webhooks 1.0.0 recommends: ten tries
/// in about three days.
package struct RetrySchedule: Hashable, Sendable {
    /// Seconds before each try, the first one included.
    package var delays: [Double]
    /// From 0 to 1: up to this share is added to each delay by chance, so that failed deliveries do not come back all at once.
    package var jitter: Double

    package init(
        delays: [Double] = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400], jitter: Double = 0.1
    ) {
        self.delays = delays
        self.jitter = jitter
    }

    /// Seconds until the next try after `attempts` tries have failed, or nil if those were all.
    package func delay(afterAttempts attempts: Int, using random: inout some RandomNumberGenerator) -> Double? {
        guard delays.indices.contains(attempts) else { return nil }
        return delays[attempts] * (1 + Double.random(in: 0...jitter, using: &random))
    }
}
