import JobModel
import JobStore
import Platform

/// What work there is, what runs and what is next. It neither waits nor calls anybody: the dispatcher asks and tells it.
///
/// Batches are kept in an array; a batch's *place* there stays the same while it is in memory, so that queues, timers and running
/// chunks name it by a number. Each decision takes constant time, however many batches wait.
struct ScheduleState: Sendable {
    let limits: ScheduleLimits
    var planner: ChunkPlanner
    /// Set while the service shuts down: no chunk is started any more.
    var isDraining = false

    /// Of all handlers that there have been: a handler keeps its number.
    var handlerNames: [String]
    var handlerNumbers: [String: Int]
    var speeds: [HandlerSpeed]
    var gates: [HandlerGate]
    /// When the first handler's jobs have gathered long enough.
    var gatheringEnds: MonotonicTime?

    var work: [BatchWork] = []
    var places: [BatchID: Int] = [:]
    /// Batches that are being cancelled in the store without having been in memory. Late news of their submission means nothing.
    var cancelledUnseen: Set<BatchID> = []
    private var freePlaces: [Int] = []
    private var generation: UInt32 = 0
    /// Batches whose jobs all rest.
    private var dormant = 0

    var queues: [QueueGate] = []
    var queueNumbers: [String: Int] = [:]
    var freeQueues: [Int] = []
    var lanes: [Lane] = []
    var freeLanes: [Int] = []
    /// When there are so many lanes, those that are idle are forgotten.
    var lanesBeforeCleaning: Int
    var levels: [Level] = []
    /// Numbers of levels, the highest rank first.
    var levelOrder: [Int] = []
    var tracks: [Track] = []
    var trackNumbers: [Track.Key: Int] = [:]
    var freeTracks: [Int] = []
    var trackLinks = IndexLinks()
    var turnLinks = IndexLinks()

    var groups: [WorkGroup] = []
    private var groupNumbers: [WorkGroup.Key: Int] = [:]
    private var freeGroups: [Int] = []
    var groupLinks = IndexLinks()

    var inputBytes = 0
    /// Batches with inputs in memory, the one that was read first in front.
    var inputHolders = IndexList()
    var inputLinks = IndexLinks()
    var sharedValues: SharedValues

    /// The chunk that is being put together.
    var draft: ChunkDraft?
    var chunks: [UInt64: RunningChunk] = [:]
    var lastChunk: UInt64 = 0
    /// When lines that running jobs have logged are to be recorded; nil: there are none.
    var logsDue: MonotonicTime?

    var timers = RetryTimers()
    var writes: WriteQueue
    var random = SystemRandomNumberGenerator()

    /// - Parameter handlers: their names are unique.
    init(handlers: [HandlerProfile], slots: Int, limits: ScheduleLimits = ScheduleLimits()) {
        self.limits = limits
        planner = ChunkPlanner(limits: limits, slots: slots)
        sharedValues = SharedValues(limit: limits.sharedBytes)
        let handlers = handlers.sorted { $0.name < $1.name }
        handlerNames = handlers.map(\.name)
        gates = handlers.map { HandlerGate(concurrency: $0.concurrency) }
        handlerNumbers = Dictionary(uniqueKeysWithValues: zip(handlerNames, handlerNames.indices))
        speeds = Array(repeating: HandlerSpeed(), count: handlerNames.count)
        writes = WriteQueue(limits: limits)
        lanesBeforeCleaning = limits.lanes
    }

    /// How many jobs of a batch have been handed out and have no committed outcome.
    func running(in batch: BatchID) -> Int { places[batch].map { work[$0].taken } ?? 0 }

    /// Whether a job has been handed out and has no committed outcome.
    func isRunning(_ job: JobID) -> Bool {
        guard let place = places[job.batch], work[place].taken > 0 else { return false }
        let runs = chunks.values.contains { chunk in
            chunk.unheard.contains { $0.place == place && $0.range.contains(job.index) }
        }
        return runs || writes.holdsOutcome(of: job.index, since: work[place].recording)
    }

    /// When something is to be done without being asked.
    var nextDue: MonotonicTime? {
        [timers.first?.due, writes.notBefore, logsDue, gatheringEnds].compactMap(\.self).min()
    }

    // MARK: Batches

    /// How many more batches a lane may hold. One that stands still gets none, and so takes no room from the others.
    func room(in lane: Int) -> Int {
        if isPaused(lane) { return 0 }
        let held = held(in: lane)
        let allHeld = sparesDormant ? places.count - dormant : places.count
        return max(limits.smallestLane - held, min(limits.lane - held, limits.allLanes - allHeld))
    }

    /// How many batches a lane holds that count.
    func held(in lane: Int) -> Int { sparesDormant ? lanes[lane].loaded - lanes[lane].dormant : lanes[lane].loaded }

    private var sparesDormant: Bool { dormant < limits.dormantBatches }

    /// To be called whenever a batch may have begun or ceased to do nothing but rest.
    mutating func countDormancy(of place: Int) {
        let isDormant = work[place].onlyRests || isLeft(place)
        guard isDormant != work[place].isDormant else { return }
        work[place].isDormant = isDormant
        let change = isDormant ? 1 : -1
        dormant += change
        lanes[work[place].lane].dormant += change
    }

    /// Takes a batch into memory and returns its place.
    mutating func insert(
        _ record: BatchRecord, pending: PendingRanges, resting: Int = 0, lane: Int, handler: Int
    ) -> Int {
        let key = Track.Key(lane: lane, handler: handler)
        let track = track(key)
        let group = group(WorkGroup.Key(track: track, timeout: record.options.timeout))
        generation &+= 1
        let entry = BatchWork(
            record, pending: pending, resting: resting, track: track, key: key, group: group,
            generation: generation)
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            work[place] = entry
        } else {
            place = work.count
            work.append(entry)
        }
        places[entry.id] = place
        lanes[lane].loaded += 1
        countDormancy(of: place)
        refresh(place)
        return place
    }

    /// Forgets a batch whose jobs all have their outcome.
    mutating func removeIfFinished(_ place: Int) {
        if work[place].open == 0 { remove(place) }
    }

    /// Forgets a batch of which nothing runs, rests or is on its way to the store.
    mutating func remove(_ place: Int) {
        unlist(place)
        dropInputs(of: place)
        if work[place].isSharing { sharedValues.drop(work[place].id) }
        places[work[place].id] = nil
        lanes[work[place].lane].loaded -= 1
        if work[place].isDormant {
            dormant -= 1
            lanes[work[place].lane].dormant -= 1
        }
        let group = work[place].group
        groups[group].batches -= 1
        if groups[group].batches == 0 {
            groupNumbers[groups[group].key] = nil
            freeGroups.append(group)
        }
        freePlaces.append(place)
    }

    private mutating func group(_ key: WorkGroup.Key) -> Int {
        let group: Int
        if let known = groupNumbers[key] {
            group = known
        } else if let free = freeGroups.popLast() {
            group = free
            groups[group] = WorkGroup(key: key)
            groupNumbers[key] = group
        } else {
            group = groups.count
            groups.append(WorkGroup(key: key))
            groupNumbers[key] = group
        }
        groups[group].batches += 1
        return group
    }
}
