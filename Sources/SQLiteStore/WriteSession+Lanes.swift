import JobModel
import JobStore

/// The lanes that have unfinished batches. Clients name queues as they like, and each name costs the scheduler memory and time for as
/// long as there is work under it.
struct LaneMemory {
    /// Lanes with unfinished batches, and queues with settings of their own, that there may be at once.
    static let maximum = 4096

    /// Some of them may be done meanwhile; nil if they are to be read.
    var known: Set<WorkLane>?
    /// The last batch of one of them in a block has ended since they were read.
    var mayBeFewer = false
}

extension WriteSession {
    /// Why a batch cannot be taken into its lane; nil if it can.
    mutating func crowding(_ lane: WorkLane) throws -> StoreError? {
        // Most batches come into the lane of the one before.
        if blocks.count?.key.lane == lane { return nil }
        var known = try lanes.known ?? UnfinishedQueries.lanes(db).asSet
        defer { lanes.known = known }
        if known.contains(lane) { return nil }
        if known.count >= LaneMemory.maximum, lanes.mayBeFewer {
            known = try UnfinishedQueries.lanes(db).asSet
            lanes.mayBeFewer = false
        }
        guard known.count < LaneMemory.maximum else {
            return .crowded(
                "unfinished batches have \(LaneMemory.maximum) names of queues and priorities, so no other can be added until some end"
            )
        }
        known.insert(lane)
        return nil
    }

    /// Why a queue cannot get settings of its own; nil if it can.
    func crowding(ofSettings name: String) throws -> StoreError? {
        defer { sql.countQueues.reset() }
        guard try sql.countQueues.step(), sql.countQueues.integer(0) >= LaneMemory.maximum,
            try storedQueue(name).settings == QueueSettings()
        else { return nil }
        return .crowded(
            "\(LaneMemory.maximum) queues have settings of their own; give some of them the usual ones again")
    }
}

extension [WorkLane] {
    fileprivate var asSet: Set<WorkLane> { Set(self) }
}
