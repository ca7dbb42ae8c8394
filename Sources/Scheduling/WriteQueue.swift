import JobModel
import JobStore
import Platform

/// Something the store has to be told.
enum StoreWrite: Sendable {
    case record(RecordingGroup)
    case cancelPending(CancelOrder)
}

/// Jobs to cancel in the store.
struct CancelOrder: Sendable {
    var batch: BatchID
    /// Where the batch is in memory and how many of its jobs were dropped there; nil: it is not.
    var dropped: (place: Int, count: Int)?
    /// Jobs that run: they get their outcome later.
    var running: [Range<Int>]
    var time: Timestamp
}

/// What the store has to be told, in order. Nothing leaves the queue before it is committed.
///
/// One group of recordings is under way at a time: what is learnt meanwhile gathers for the next commit, and a refusal cannot
/// change the order. Cancellations do not depend on each other and may be under way together.
struct WriteQueue: Sendable {
    struct Ticket: Sendable {
        var number: UInt64
        var write: StoreWrite
    }

    private static let cancellationsAtOnce = 256

    var recorder: Recorder
    private let limits: ScheduleLimits
    private var waiting: [StoreWrite] = []
    private var underWay: [UInt64: StoreWrite] = [:]
    private var isRecording = false
    private var number: UInt64 = 0
    private var rest: TimeSpan?
    /// Bytes of recordings that are not in the recorder any more.
    private var handedBytes = 0
    /// The store is full: when to try again.
    private(set) var notBefore: MonotonicTime?

    init(limits: ScheduleLimits) {
        self.limits = limits
        recorder = Recorder(limits: limits)
    }

    var bytes: Int { handedBytes + recorder.group.bytes }
    var isEmpty: Bool { waiting.isEmpty && underWay.isEmpty && recorder.group.recordings.isEmpty }
    var isStoreFull: Bool { rest != nil }

    /// After all that was recorded so far.
    mutating func enqueue(_ order: CancelOrder) {
        seal()
        waiting.append(.cancelPending(order))
    }

    /// What to tell the store now, if anything.
    mutating func next(at now: MonotonicTime) -> Ticket? {
        if let notBefore {
            if now < notBefore { return nil }
            // It has passed: from here on the answer is waited for, not the time.
            self.notBefore = nil
        }
        if waiting.isEmpty { seal() }
        guard let first = waiting.first else { return nil }
        if !underWay.isEmpty {
            guard !isRecording, case .cancelPending = first, underWay.count < Self.cancellationsAtOnce else {
                return nil
            }
        }
        if case .record = first { isRecording = true }
        waiting.removeFirst()
        number += 1
        underWay[number] = first
        return Ticket(number: number, write: first)
    }

    /// It is committed.
    mutating func completed(_ number: UInt64) -> StoreWrite? {
        guard let write = underWay.removeValue(forKey: number) else { return nil }
        if case .record(let group) = write {
            isRecording = false
            handedBytes -= group.bytes
        }
        rest = nil
        notBefore = nil
        return write
    }

    /// The store had no room for it: it comes first when it is time to try again.
    mutating func refused(_ number: UInt64, at now: MonotonicTime) {
        guard let write = underWay.removeValue(forKey: number) else { return }
        if case .record = write { isRecording = false }
        waiting.insert(write, at: 0)
        // Cancellations that were under way together are refused together: that is one refusal.
        if let notBefore, now < notBefore { return }
        let pause = rest.map { min(TimeSpan(nanoseconds: $0.nanoseconds * 2), limits.longestFullStoreRest) }
        rest = pause ?? limits.fullStoreRest
        notBefore = now + (rest ?? limits.fullStoreRest)
    }

    /// Closes the group that is being gathered if it is large enough for a commit of its own.
    mutating func sealIfLarge() {
        if recorder.group.bytes >= limits.groupBytes { seal() }
    }

    /// Whether a job's outcome is on its way into the store.
    /// - Parameter recording: its batch's last one.
    func holdsOutcome(of index: Int, since recording: RecordingHandle?) -> Bool {
        recordings(since: recording).contains { $0.runs.contains { $0.range.contains(index) } }
    }

    /// What a job has logged that is on its way into the store.
    /// - Parameter recording: its batch's last one.
    func logs(of index: Int, since recording: RecordingHandle?) -> [JobLog] {
        recordings(since: recording).reversed().flatMap { $0.logs.filter { $0.index == index } }
    }

    /// A batch's recordings that are not committed, the last one first.
    private func recordings(since last: RecordingHandle?) -> [Recording] {
        var recordings: [Recording] = []
        var next = last
        // Groups are committed in their order: before one that is gone there is none.
        while let handle = next, let group = group(handle.group) {
            recordings.append(group.recordings[handle.index])
            next = group.tallies[handle.index].earlier
        }
        return recordings
    }

    /// A group that is not committed yet.
    private func group(_ number: UInt64) -> RecordingGroup? {
        if number == recorder.group.number { return recorder.group }
        for case .record(let group) in underWay.values where group.number == number { return group }
        for case .record(let group) in waiting where group.number == number { return group }
        return nil
    }

    private mutating func seal() {
        guard let group = recorder.take() else { return }
        handedBytes += group.bytes
        waiting.append(.record(group))
    }
}
