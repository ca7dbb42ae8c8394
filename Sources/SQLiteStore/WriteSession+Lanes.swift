import JobModel
import JobStore
import Platform

/// The lanes that have unfinished batches. Clients name queues as they like, and each name costs the scheduler memory and time for as
/// long as there is work under it.
struct LaneMemory {
    /// Lanes with unfinished batches, and queues with settings of their own, that there may be at once.
    static let maximum = 4096

    /// To read them takes some milliseconds, for which everybody's commit waits.
    static let interval = TimeSpan(seconds: 1)

    /// Some of them may be done meanwhile; nil if they are to be read.
    var known: Set<WorkLane>?
    /// The last batch of one of them in a block has ended since they were read.
    var mayBeFewer = false
    var readAgainAt = MonotonicTime(nanoseconds: 0)
}

extension WriteSession {
    /// Why a batch cannot be taken into its lane; nil if it can.
    mutating func crowding(_ lane: WorkLane) throws -> StoreError? {
        // Most batches come into the lane of the one before. Nobody's made-up names shut others out of the default queue.
        if blocks.count?.key.lane == lane || lane.queue == QueueSettings.defaultName { return nil }
        var known = try lanes.known ?? UnfinishedQueries.lanes(db).asSet
        defer { lanes.known = known }
        if known.contains(lane) { return nil }
        let now = MonotonicTime.now()
        if known.count >= LaneMemory.maximum, lanes.mayBeFewer, lanes.readAgainAt <= now {
            known = try UnfinishedQueries.lanes(db).asSet
            lanes.mayBeFewer = false
            lanes.readAgainAt = now + LaneMemory.interval
        }
        guard known.count < LaneMemory.maximum else {
            return .crowded(
                "unfinished batches have \(LaneMemory.maximum) names of queues and priorities, so no other can be added until some end"
            )
        }
        known.insert(lane)
        return nil
    }

    /// Why a queue cannot get settings of its own; nil if it can, or has some, or would get none.
    func crowding(of change: QueueChange, on name: String) throws -> StoreError? {
        let usual = QueueSettings()
        guard try storedQueue(name).settings == usual, change.applied(to: usual) != usual else { return nil }
        defer { sql.countQueues.reset() }
        guard try sql.countQueues.step(), sql.countQueues.integer(0) >= LaneMemory.maximum else { return nil }
        return .crowded(
            "\(LaneMemory.maximum) queues have settings of their own; give some of them the usual ones again")
    }
}

extension [WorkLane] {
    fileprivate var asSet: Set<WorkLane> { Set(self) }
}
