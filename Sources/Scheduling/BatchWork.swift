import JobModel
import JobStore

/// What the scheduler knows of one unfinished batch.
///
/// A job without an outcome in the store is in exactly one of these: `pending`, `ready`, `isolated`, resting, taken, or dropped.
struct BatchWork: Sendable {
    /// Which of its lane's queues the batch waits in for its turn.
    enum Turn: Sendable { case none, newcomer, served }

    let id: BatchID
    let lane: Int
    let group: Int
    /// Its handler's number.
    let handler: Int
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
    /// Tried before, and may have killed their worker: they run alone.
    var isolated = RetryQueue()
    /// Jobs that rest before their next try.
    var resting = 0
    /// Jobs that were handed out and whose outcome is not committed.
    var taken = 0
    /// Jobs without a committed outcome.
    var open: Int

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
        _ record: BatchRecord, pending: PendingRanges, resting: Int, lane: Int, group: Int, handler: Int,
        generation: UInt32
    ) {
        let options = record.options
        id = record.id
        self.lane = lane
        self.group = group
        self.handler = handler
        self.generation = generation
        timeout = options.timeout
        chunkSize = options.chunkSize
        retries = options.retries
        total = record.total
        self.pending = pending
        self.resting = resting
        open = pending.count + resting
    }

    /// Jobs that could be handed out now.
    var readyCount: Int { pending.count + ready.count + isolated.count }

    /// Whether there is nothing to do for it until a retry is due.
    var onlyRests: Bool { resting > 0 && taken == 0 && readyCount == 0 }

    /// Whether a timer's job rests here. A batch that was cancelled has forgotten its resting jobs, and another may be at its place.
    func awaits(_ timer: RetryTimer) -> Bool { timer.generation == generation && resting > 0 }

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
