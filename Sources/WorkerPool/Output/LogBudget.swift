import Platform

/// How much a worker may log: bursts of 200 lines and 64 KiB, in the long run 50 lines and 64 KiB in a second.
struct LogBudget {
    private static let lineBurst = 200.0
    private static let linesPerSecond = 50.0
    private static let byteBurst = 65_536.0
    private static let bytesPerSecond = 65_536.0

    private var lines = LogBudget.lineBurst
    private var bytes = LogBudget.byteBurst
    private var filledAt: MonotonicTime

    init(now: MonotonicTime) { filledAt = now }

    /// Whether a line of so many bytes may be kept.
    mutating func takes(bytes count: Int, now: MonotonicTime) -> Bool {
        refill(now)
        guard lines >= 1, bytes >= Double(count) else { return false }
        lines -= 1
        bytes -= Double(count)
        return true
    }

    private mutating func refill(_ now: MonotonicTime) {
        let seconds = max(0, (now - filledAt).seconds)
        guard seconds > 0 else { return }
        filledAt = now
        lines = min(LogBudget.lineBurst, lines + seconds * LogBudget.linesPerSecond)
        bytes = min(LogBudget.byteBurst, bytes + seconds * LogBudget.bytesPerSecond)
    }
}
