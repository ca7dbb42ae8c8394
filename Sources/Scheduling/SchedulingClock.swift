package import JobModel
package import Platform

/// One moment on both clocks: the monotonic one to wait by, the wall clock to store.
package struct Moment: Hashable, Sendable {
    package var monotonic: MonotonicTime
    package var wall: Timestamp

    package init(monotonic: MonotonicTime, wall: Timestamp) {
        self.monotonic = monotonic
        self.wall = wall
    }
}

/// Where the scheduler has the time from.
package struct SchedulingClock: Sendable {
    package let now: @Sendable () -> Moment

    package init(now: @escaping @Sendable () -> Moment) { self.now = now }

    package static let system = SchedulingClock {
        Moment(monotonic: .now(), wall: Timestamp(microseconds: WallClock.microseconds()))
    }
}
