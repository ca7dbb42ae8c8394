import Glibc

/// A length of time in whole nanoseconds. Saturates instead of overflowing.
package struct TimeSpan: Comparable, Hashable, Sendable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Saturates at about 292 years; a value that is not a number counts as zero.
    package init(seconds: Double) {
        let scaled = seconds * 1e9
        nanoseconds = scaled.isNaN ? 0 : scaled >= 9.2e18 ? .max : scaled <= -9.2e18 ? .min : Int64(scaled)
    }

    package static func milliseconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count * 1_000_000) }
    package static let zero = TimeSpan(nanoseconds: 0)

    package var seconds: Double { Double(nanoseconds) / 1e9 }

    package static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.nanoseconds < right.nanoseconds }
}

/// A reading of `CLOCK_MONOTONIC`: comparable across the processes of one machine, unaffected by changes of the wall clock. Saturates
/// like its lengths.
package struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Since boot.
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The clock at the kernel's last tick: up to 10 ms old, for a fifth of the cost of `now`.
    package static func lastTick() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func - (left: MonotonicTime, right: MonotonicTime) -> TimeSpan {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return TimeSpan(nanoseconds: !overflow ? difference : left.nanoseconds < 0 ? .min : .max)
    }

    package static func + (left: MonotonicTime, right: TimeSpan) -> MonotonicTime {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return MonotonicTime(nanoseconds: overflow ? .max : sum)
    }
}
