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

    let handlerNames: [String]
    let handlerNumbers: [String: Int]
    var speeds: [HandlerSpeed]

    var work: [BatchWork] = []
    var places: [BatchID: Int] = [:]
    /// Batches that are being cancelled in the store without having been in memory. Late news of their submission means nothing.
    var cancelledUnseen: Set<BatchID> = []
    private var freePlaces: [Int] = []
    private var generation: UInt32 = 0
    /// Batches whose jobs all rest.
    private var dormant = 0

    var lanes: [Lane] = []
    /// Numbers of lanes, the highest priority first.
    private(set) var laneOrder: [Int] = []
    var turnLinks = IndexLinks()

    var groups: [WorkGroup] = []
    private var groupNumbers: [WorkGroup.Key: Int] = [:]
    private var freeGroups: [Int] = []
    var groupLinks = IndexLinks()

    var inputBytes = 0
    /// Batches with inputs in memory, the one that was read first in front.
    var inputHolders = IndexList()
    var inputLinks = IndexLinks()

    /// The chunk that is being put together.
    var draft: ChunkDraft?
    var chunks: [UInt64: RunningChunk] = [:]
    var lastChunk: UInt64 = 0

    var timers = RetryTimers()
    var writes: WriteQueue
    var random = SystemRandomNumberGenerator()

    init(handlers: Set<String>, slots: Int, limits: ScheduleLimits = ScheduleLimits()) {
        self.limits = limits
        planner = ChunkPlanner(limits: limits, slots: slots)
        handlerNames = handlers.sorted()
        handlerNumbers = Dictionary(uniqueKeysWithValues: zip(handlerNames, handlerNames.indices))
        speeds = Array(repeating: HandlerSpeed(), count: handlerNames.count)
        writes = WriteQueue(limits: limits)
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
        switch (timers.first?.due, writes.notBefore) {
        case (let timer?, let store?): min(timer, store)
        case (let timer, let store): timer ?? store
        }
    }

    // MARK: Batches

    /// The lane of a priority; a new one if there is none yet.
    mutating func lane(of priority: Int, hasMore: Bool) -> Int {
        if let lane = laneOrder.first(where: { lanes[$0].priority == priority }) { return lane }
        lanes.append(Lane(priority: priority, hasMore: hasMore))
        let position = laneOrder.firstIndex { lanes[$0].priority < priority } ?? laneOrder.endIndex
        laneOrder.insert(lanes.count - 1, at: position)
        return lanes.count - 1
    }

    /// How many more batches a lane may hold.
    func room(in lane: Int) -> Int {
        let held = held(in: lane)
        let allHeld = sparesDormant ? places.count - dormant : places.count
        return max(limits.smallestLane - held, min(limits.lane - held, limits.allLanes - allHeld))
    }

    /// How many batches a lane holds that count.
    func held(in lane: Int) -> Int { sparesDormant ? lanes[lane].loaded - lanes[lane].dormant : lanes[lane].loaded }

    private var sparesDormant: Bool { dormant < limits.dormantBatches }

    /// To be called whenever a batch may have begun or ceased to do nothing but rest.
    mutating func countDormancy(of place: Int) {
        let isDormant = work[place].onlyRests
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
        let group = group(WorkGroup.Key(lane: lane, handler: handler, timeout: record.options.timeout))
        generation &+= 1
        let entry = BatchWork(
            record, pending: pending, resting: resting, lane: lane, group: group, handler: handler,
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
        guard work[place].open == 0 else { return }
        unlist(place)
        dropInputs(of: place)
        places[work[place].id] = nil
        lanes[work[place].lane].loaded -= 1
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

    // MARK: Queues

    /// Puts a batch into the queues it belongs into, or takes it out of them. To be called whenever its waiting jobs have changed.
    mutating func refresh(_ place: Int) {
        let ready = work[place].readyCount
        guard ready > 0 else { return unlist(place) }
        if work[place].turn == .none {
            if work[place].wasServed {
                turnLinks.append(place, to: &lanes[work[place].lane].served)
                work[place].turn = .served
            } else {
                turnLinks.append(place, to: &lanes[work[place].lane].newcomers)
                work[place].turn = .newcomer
            }
        }
        let isSmall =
            work[place].chunkSize == .automatic && ready <= limits.smallBatchJobs && work[place].isolated.isEmpty
        regroup(place, ready: isSmall ? ready : 0)
    }

    /// Takes a batch out of all queues.
    mutating func unlist(_ place: Int) {
        switch work[place].turn {
        case .none: break
        case .newcomer: turnLinks.remove(place, from: &lanes[work[place].lane].newcomers)
        case .served: turnLinks.remove(place, from: &lanes[work[place].lane].served)
        }
        work[place].turn = .none
        regroup(place, ready: 0)
    }

    private mutating func regroup(_ place: Int, ready: Int) {
        let before = work[place].grouped
        guard ready != before else { return }
        let group = work[place].group
        groups[group].ready += ready - before
        work[place].grouped = ready
        if before == 0 {
            groupLinks.append(place, to: &groups[group].small)
        } else if ready == 0 {
            groupLinks.remove(place, from: &groups[group].small)
        }
    }
}
