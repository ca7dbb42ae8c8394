import JobModel

/// The batches of one queue that have one priority, as far as they are in memory.
struct Lane: Sendable {
    /// A look through batches that stay in the store, for those that are being cancelled.
    struct Search: Sendable {
        var after: BatchID?
    }

    let queue: Int
    /// Of its batches.
    let priority: Int
    var level: Int
    /// The lane's tracks, one for each handler.
    var tracks: [Int] = []
    /// Batches in memory, and those of them whose jobs all rest.
    var loaded = 0
    var dormant = 0
    /// The store holds unfinished batches behind `cursor` that are not in memory.
    var hasMore = false
    /// Up to here all unfinished batches have been looked at, in the order of their commits. That need not be the order of their
    /// identifiers: the clock may have been set back.
    var cursor: BatchID?
    /// While the queue is paused and there are batches that have not been looked at.
    var search: Search?

    init(queue: Int, priority: Int, level: Int) {
        self.queue = queue
        self.priority = priority
        self.level = level
    }

    /// Whether nothing is lost with it.
    var isForgettable: Bool { loaded == 0 && !hasMore }
}

/// Batches that may share chunks.
struct WorkGroup: Sendable {
    struct Key: Hashable, Sendable {
        var track: Int
        var timeout: Double?
    }

    let key: Key
    /// Batches in memory that belong here.
    var batches = 0
    /// Those that are small and have jobs to hand out, and how many jobs these are.
    var small = IndexList()
    var ready = 0
}
