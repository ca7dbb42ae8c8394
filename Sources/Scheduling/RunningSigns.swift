import JobModel
import JobStore

/// What the jobs of a running chunk have said of themselves, as far as it is not recorded.
struct RunningSigns: Sendable {
    /// Lines of one job.
    struct Log: Sendable {
        var lines: [LogLine] = []
        /// Lines that were left out since the last recording.
        var dropped = 0
        /// Lines that were left out in all.
        var droppedSoFar = 0
        /// Text bytes of all lines that were kept, recorded ones included.
        var bytes = 0
        /// A line was left out: all that follow are, too, so that no gap hides between two lines.
        var isFull = false

        var isEmpty: Bool { lines.isEmpty && dropped == 0 }
    }

    /// Of the job that spoke last: jobs of a chunk run one after the other.
    var progress: (position: Int, value: JobProgress)?
    /// By position.
    private(set) var logs: [Int: Log] = [:]
    /// How many of the logs have something to record.
    private var filled = 0

    var hasLines: Bool { filled > 0 }

    /// Keeps lines as long as there is room. Returns how many text bytes were kept.
    /// - Parameters:
    ///   - dropped: lines that were left out before they came here.
    ///   - room: text bytes that the batch has left.
    mutating func log(_ lines: [LogLine], dropped: Int, position: Int, room: Int) -> Int {
        guard !lines.isEmpty || dropped > 0 else { return 0 }
        var log = logs.removeValue(forKey: position) ?? Log()
        defer { logs[position] = log }
        if log.isEmpty { filled += 1 }
        let before = log.bytes
        var left = dropped
        for line in lines {
            // An empty line takes room, too: there may be any number of them.
            let size = max(1, line.text.utf8.count)
            if log.bytes + size > JobLog.bytesPerJob || log.bytes - before + size > room { log.isFull = true }
            if log.isFull {
                left += 1
            } else {
                log.lines.append(line)
                log.bytes += size
            }
        }
        log.dropped += left
        log.droppedSoFar += left
        return log.bytes - before
    }

    /// What there is to record of jobs that go on: the bytes of their lines go on counting.
    mutating func takeLines() -> [(position: Int, log: Log)] {
        guard hasLines else { return [] }
        let taken = logs.filter { !$0.value.isEmpty }.map { (position: $0.key, log: $0.value) }
        for (position, _) in taken {
            logs[position]?.lines = []
            logs[position]?.dropped = 0
        }
        filled = 0
        return taken.sorted { $0.position < $1.position }
    }

    /// What there is to record of jobs that are done: they are forgotten.
    mutating func takeLogs(of positions: Range<Int>) -> [(position: Int, log: Log)] {
        guard !logs.isEmpty else { return [] }
        let spoken =
            positions.count < logs.count ? positions.filter { logs[$0] != nil } : logs.keys.filter(positions.contains)
        var taken: [(position: Int, log: Log)] = []
        for position in spoken.sorted() {
            guard let log = logs.removeValue(forKey: position), !log.isEmpty else { continue }
            taken.append((position, log))
            filled -= 1
        }
        return taken
    }

    /// Jobs before this position are done.
    mutating func forgetProgress(before position: Int) {
        if let progress, progress.position < position { self.progress = nil }
    }
}

extension RunningSigns.Log {
    func recorded(index: Int, attempt: Int) -> JobLog {
        JobLog(index: index, attempt: attempt, lines: lines, dropped: dropped, droppedSoFar: droppedSoFar)
    }
}
