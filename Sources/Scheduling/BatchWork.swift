import JobModel
import JobStore

/// What the scheduler knows of one unfinished batch.
///
/// A job without an outcome in the store is in exactly one of these: `pending`, `ready`, `isolated`, resting, taken, or dropped.
struct BatchWork: Sendable {
    /// Which of its track's queues the batch waits in for its turn.
    enum Turn: Sendable { case none, newcomer, served }

    let id: BatchID
    let lane: Int
    let track: Int
    let group: Int
    /// Its handler's number.
    let handler: Int
    let createdAt: Timestamp
    /// The trace context that its jobs are to know.
    let traceparent: String?
    /// Whether there is a value that its jobs share.
    let isSharing: Bool
    let timeout: Double?
    let chunkSize: ChunkSize
    let retries: RetryPolicy
    let total: Int
    /// Tells it from batches that were at its place before.
    let generation: UInt32

    /// Never tried, or handed back unharmed.
    var pending: PendingRanges
    /// Tried before.
    var ready = RetryQueue()
    /// They may have killed their worker: they run alone.
    var isolated = RetryQueue()
    /// Jobs that rest before their next try.
    var resting = 0
    /// Jobs that were handed out and whose outcome is not committed.
    var taken = 0
    /// Jobs without a committed outcome.
    var open: Int
    /// Jobs whose outcome is neither committed nor on its way to the store.
    var undecided: Int
    /// How often a job was running when its zygote was lost; few ever are.
    var zygoteLosses: [Int: Int] = [:]
    /// Text bytes that its jobs have logged.
    var logBytes = 0

    var isCancelling = false
    var wasServed = false
    /// Whether its lane has counted it as one whose jobs all rest.
    var isDormant = false
    var turn = Turn.none
    /// With how many jobs the batch stands in its group; 0: it does not.
    var grouped = 0
    var inputs = BatchInputs()
    /// Where its last outcome or attempt was noted.
    var recording: RecordingHandle?

    /// - resting: how many jobs rest before their next try.
    init(
        _ record: BatchRecord, pending: PendingRanges, resting: Int, track: Int, key: Track.Key, group: Int,
        generation: UInt32
    ) {
        let options = record.options
        id = record.id
        self.track = track
        lane = key.lane
        handler = key.handler
        self.group = group
        createdAt = record.createdAt
        traceparent = options.traceparent
        isSharing = record.sharedBytes != nil
        self.generation = generation
        timeout = options.timeout
        chunkSize = options.chunkSize
        retries = options.retries
        total = record.total
        self.pending = pending
        self.resting = resting
        open = pending.count + resting
        undecided = open
    }

    /// Jobs that could be handed out now.
    var readyCount: Int { pending.count + ready.count + isolated.count }

    /// Whether its jobs may be together with those of others: there are few, and nothing sets them apart.
    func mayShareChunks(upTo jobs: Int) -> Bool {
        chunkSize == .automatic && readyCount <= jobs && isolated.isEmpty && !isSharing
    }

    /// Whether there is nothing to do for it until a retry is due.
    var onlyRests: Bool { resting > 0 && taken == 0 && readyCount == 0 }

    /// Whether nothing of it was ever handed out, so that the store knows all there is to know.
    var isUntouched: Bool { !wasServed && !isCancelling && resting == 0 && ready.isEmpty && isolated.isEmpty }

    /// Whether a timer's job rests here. A batch that was cancelled has forgotten its resting jobs, and another may be at its place.
    func awaits(_ timer: RetryTimer) -> Bool { timer.generation == generation && resting > 0 }

    /// Whether a job was running so often when its zygote was lost that it may be the one that does it: it runs alone from then on.
    func hasLostItsZygoteTooOften(_ index: Int) -> Bool { zygoteLosses[index, default: 0] >= 2 }

    /// Forgets the jobs that were not handed out and returns how many they were.
    mutating func dropWaiting() -> Int {
        let dropped = readyCount + resting
        pending.removeAll()
        ready.removeAll()
        isolated.removeAll()
        resting = 0
        return dropped
    }
}
