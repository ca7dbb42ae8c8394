import JobModel
import JobStore

/// Recordings that go to the store together.
struct RecordingGroup: Sendable {
    /// How many jobs of the batch at `place` got their outcome with the recording at the same index.
    struct Tally: Sendable {
        var place: Int
        var outcomes: Int
        /// The batch's recording before this one, which may be committed by now.
        var earlier: RecordingHandle?
    }

    /// Ascending.
    fileprivate(set) var number: UInt64 = 0

    var recordings: [Recording] = []
    var tallies: [Tally] = []
    /// About what it takes in memory.
    var bytes = 0
}

/// Where a batch's recording is in the group that is being gathered.
struct RecordingHandle: Sendable {
    fileprivate(set) var group: UInt64
    fileprivate(set) var index: Int
}

/// Gathers what becomes of jobs into recordings, one for each batch.
struct Recorder: Sendable {
    let limits: ScheduleLimits
    private(set) var group = RecordingGroup()

    init(limits: ScheduleLimits) { self.limits = limits }

    /// Outcomes of jobs that are neighbours become one row.
    mutating func record(_ run: OutcomeRun, of work: inout BatchWork, at place: Int, time: Timestamp) {
        let index = recording(of: &work, at: place, time: time)
        group.tallies[index].outcomes += run.count
        if !Recorder.join(run, to: &group.recordings[index].runs, maximumBytes: limits.runBytes) {
            group.recordings[index].runs.append(run)
            group.bytes += 64
        }
        group.bytes += run.body.count
    }

    mutating func record(_ attempt: AttemptRecord, of work: inout BatchWork, at place: Int, time: Timestamp) {
        let index = recording(of: &work, at: place, time: time)
        group.recordings[index].attempts.append(attempt)
        let failure = attempt.failure
        group.bytes += 256 + failure.message.utf8.count + (failure.traceback?.utf8.count ?? 0)
        group.bytes += failure.death?.standardError?.utf8.count ?? 0
    }

    mutating func record(_ log: JobLog, of work: inout BatchWork, at place: Int, time: Timestamp) {
        let index = recording(of: &work, at: place, time: time)
        group.recordings[index].logs.append(log)
        group.bytes += log.lines.reduce(64) { $0 + $1.text.utf8.count + 48 }
    }

    /// Each name once: what is added to the same counter becomes one sum.
    mutating func record(_ deltas: [CounterDelta], of work: inout BatchWork, at place: Int, time: Timestamp) {
        guard !deltas.isEmpty else { return }
        let index = recording(of: &work, at: place, time: time)
        for delta in deltas {
            if Recorder.add(delta, to: &group.recordings[index].counters) { group.bytes += 64 }
        }
    }

    /// Whether what is recorded of the batch now goes into the same commit as its last recording.
    func isGathering(for work: BatchWork) -> Bool { work.recording?.group == group.number }

    /// Hands out what was gathered and begins a new group.
    mutating func take() -> RecordingGroup? {
        guard !group.recordings.isEmpty else { return nil }
        let full = group
        group = RecordingGroup()
        group.number = full.number + 1
        return full
    }

    private mutating func recording(of work: inout BatchWork, at place: Int, time: Timestamp) -> Int {
        if let handle = work.recording, handle.group == group.number {
            group.recordings[handle.index].recordedAt = time
            return handle.index
        }
        let index = group.recordings.count
        let earlier = work.recording
        work.recording = RecordingHandle(group: group.number, index: index)
        group.recordings.append(Recording(batch: work.id, recordedAt: time))
        group.tallies.append(RecordingGroup.Tally(place: place, outcomes: 0, earlier: earlier))
        group.bytes += 128
        return index
    }

    /// Whether there is a sum more. Sums stop at the ends of their range.
    private static func add(_ delta: CounterDelta, to counters: inout [CounterDelta]) -> Bool {
        if let index = counters.firstIndex(where: { $0.name == delta.name }) {
            let (sum, overflow) = counters[index].amount.addingReportingOverflow(delta.amount)
            counters[index].amount = overflow ? (delta.amount > 0 ? .max : .min) : sum
            return false
        }
        guard counters.count < CounterDelta.namesPerBatch else { return false }
        counters.append(delta)
        return true
    }

    /// Static: a method would hold a copy of all recordings while one of them changes, and so make it copy them once more.
    private static func join(_ run: OutcomeRun, to runs: inout [OutcomeRun], maximumBytes: Int) -> Bool {
        guard let last = runs.indices.last, runs[last].outcome == run.outcome, runs[last].range.upperBound == run.first,
            runs[last].body.count + run.body.count < maximumBytes
        else { return false }
        if !run.body.isEmpty {
            runs[last].body.append(UInt8(ascii: ","))
            runs[last].body.append(contentsOf: run.body)
        }
        runs[last].count += run.count
        return true
    }
}
