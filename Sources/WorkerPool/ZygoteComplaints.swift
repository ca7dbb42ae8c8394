import Platform

/// Which ends of zygotes are worth a line in the log: those whose reason is a new one, and every now and then those that go on.
struct ZygoteComplaints {
    private static let interval = TimeSpan(seconds: 600)

    private var last: [Int: (reason: String, time: MonotonicTime)] = [:]

    /// To be asked for each end.
    mutating func isNews(_ reason: String, of place: Int, now: MonotonicTime) -> Bool {
        if let last = last[place], last.reason == reason, now - last.time < ZygoteComplaints.interval { return false }
        last[place] = (reason, now)
        return true
    }

    /// It works again.
    mutating func forget(_ place: Int) { last[place] = nil }
}
