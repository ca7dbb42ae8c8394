import JobModel
import Platform

/// A job as its worker refers to it.
struct JobReference: Sendable {
    let part: JobPart
    /// In the batch.
    let index: Int

    /// Among all jobs that this worker has run, from 1.
    var number: UInt64 { part.number + UInt64(index - part.first) }
    /// In the chunk.
    var position: Int { part.position + index - part.first }

    func isSamePart(as other: JobReference) -> Bool { part === other.part }

    func frame(of progress: JobProgress) -> [UInt8] {
        WorkerFrame.progress(chunk: part.chunk, position: position, progress)
    }

    func frame(of level: LogLine.Source, _ text: String) -> [UInt8] {
        WorkerFrame.logged(chunk: part.chunk, position: position, level: level, text: text)
    }

    func frame(ofDropped count: Int) -> [UInt8] {
        WorkerFrame.dropped(chunk: part.chunk, position: position, count: count)
    }
}

/// The additions to counters that were not sent yet, as they stand on the page, too.
struct CounterTable {
    static let rule =
        "names have 1 to \(CounterDelta.nameLimit) letters, digits, _, - and ., and there are at most \(PageCounters.capacity)"
    /// A long job's additions do not wait for its end.
    private static let interval = TimeSpan.milliseconds(250)

    private(set) var sequence: UInt64 = 1
    /// The job that began.
    private(set) var owner: JobReference?
    private var indices: [String: Int] = [:]
    private var deltas: [CounterDelta] = []
    private var lastSent = MonotonicTime(nanoseconds: 0)

    enum Change: Equatable {
        case new(index: Int)
        case sum(index: Int, Int64)
    }

    /// - Returns: nil if the name is none, or one too many.
    mutating func add(_ amount: Int64, to name: String, _ job: JobReference, _ now: MonotonicTime) -> Change? {
        if let index = indices[name] {
            let (sum, overflow) = deltas[index].amount.addingReportingOverflow(amount)
            deltas[index].amount = overflow ? (amount > 0 ? .max : .min) : sum
            return .sum(index: index, deltas[index].amount)
        }
        guard CounterDelta.isValid(name: name), deltas.count < PageCounters.capacity else { return nil }
        if deltas.isEmpty {
            owner = job
            lastSent = now
        }
        indices[name] = deltas.count
        deltas.append(CounterDelta(name: name, amount: amount))
        return .new(index: deltas.count - 1)
    }

    func areOld(_ now: MonotonicTime) -> Bool { now - lastSent >= CounterTable.interval }

    /// nil if there is nothing to send.
    var frame: [UInt8]? {
        guard let owner, !deltas.isEmpty else { return nil }
        return WorkerFrame.counted(
            chunk: owner.part.chunk, position: owner.part.position, sequence: sequence, deltas)
    }

    /// They were sent.
    mutating func clear(_ now: MonotonicTime) {
        sequence += 1
        owner = nil
        indices.removeAll(keepingCapacity: true)
        deltas.removeAll(keepingCapacity: true)
        lastSent = now
    }
}

/// Lets at most ten reports of progress a second out, and keeps the last one that it held back.
struct ProgressGate {
    private static let interval = TimeSpan.milliseconds(100)

    private var job: UInt64 = 0
    private var lastSent = MonotonicTime(nanoseconds: 0)
    private var pending: (job: JobReference, progress: JobProgress)?

    /// Whether to send it now.
    mutating func lets(_ progress: JobProgress, _ job: JobReference, _ now: MonotonicTime) -> Bool {
        if self.job == job.number && now - lastSent < ProgressGate.interval {
            pending = (job, progress)
            return false
        }
        self.job = job.number
        lastSent = now
        pending = nil
        return true
    }

    mutating func takePending() -> (job: JobReference, progress: JobProgress)? {
        defer { pending = nil }
        return pending
    }
}

/// Lets a few hundred lines out at once and a hundred a second in the long run.
struct LogGate {
    private static let burst = 200.0
    private static let perSecond = 100.0

    private var credit = LogGate.burst
    private var lastLook = MonotonicTime(nanoseconds: 0)

    mutating func lets(_ now: MonotonicTime) -> Bool {
        credit = min(LogGate.burst, credit + max(0, (now - lastLook).seconds) * LogGate.perSecond)
        lastLook = now
        guard credit >= 1 else { return false }
        credit -= 1
        return true
    }
}
