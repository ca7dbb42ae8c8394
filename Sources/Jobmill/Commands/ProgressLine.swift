/// Draws how far a batch has got, as one line of a terminal. Pure.
struct ProgressLine {
    /// Jobs that were finished when the watching began, and so say nothing about the speed.
    private let finishedBefore: Int

    init(finishedBefore: Int) { self.finishedBefore = finishedBefore }

    private static let barWidth = 24
    /// A guess from fewer seconds would jump about.
    private static let minimumElapsed = 0.5

    /// - Parameters:
    ///   - elapsed: seconds since the watching began.
    ///   - width: columns of the terminal; the line is cut to fit.
    func text(_ counts: BatchView.Counts, elapsed: Double, width: Int) -> String {
        let share = counts.total > 0 ? Double(counts.finished) / Double(counts.total) : 1
        let filled = Int(share * Double(ProgressLine.barWidth))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: ProgressLine.barWidth - filled)
        let percent = String(Int(share * 100))
        var parts = ["\(counts.finished) of \(counts.total)"]
        if counts.failed > 0 { parts.append("\(counts.failed) failed") }
        if counts.running > 0 { parts.append("\(counts.running) running") }
        let done = counts.finished - finishedBefore
        if elapsed >= ProgressLine.minimumElapsed && done > 0 {
            let rate = Double(done) / elapsed
            parts.append("\(ProgressLine.rounded(rate))/s")
            let left = counts.total - counts.finished
            if left > 0 { parts.append("\(ProgressLine.duration(Double(left) / rate)) left") }
        }
        let padding = String(repeating: " ", count: 3 - percent.count)
        // The last column stays empty: a full line would wrap on some terminals.
        return String("[\(bar)] \(padding)\(percent) %  \(parts.joined(separator: ", "))".prefix(max(0, width - 1)))
    }

    /// One decimal below ten, none above.
    private static func rounded(_ value: Double) -> String {
        if value >= 10 { return String(Int(value.rounded())) }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    static func duration(_ seconds: Double) -> String {
        let whole = Int(min(seconds.rounded(.up), 1e9))
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole / 60 % 60) min"
    }
}
