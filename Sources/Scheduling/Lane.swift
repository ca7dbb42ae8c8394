import JobModel

/// The batches of one priority.
struct Lane: Sendable {
    let priority: Int
    /// Batches in memory, and those of them whose jobs all rest.
    var loaded = 0
    var dormant = 0
    /// The store holds unfinished batches behind `cursor` that are not in memory.
    var hasMore: Bool
    /// Up to here all unfinished batches have been looked at, in the order of their commits. That need not be the order of their
    /// identifiers: the clock may have been set back.
    var cursor: BatchID?
    /// Batches with jobs to hand out: those that had no chunk yet, and those that had.
    var newcomers = IndexList()
    var served = IndexList()
    private var newcomersInARow = 0

    init(priority: Int, hasMore: Bool) {
        self.priority = priority
        self.hasMore = hasMore
    }

    var isIdle: Bool { newcomers.isEmpty && served.isEmpty }

    /// Whose turn it is. Newcomers go first, so that a small batch is not held up by large ones; but only so often in a row
    /// that a stream of them does not hold up the large ones either.
    mutating func nextTurn(newcomersInARow limit: Int) -> Int? {
        guard let newcomer = newcomers.first, served.isEmpty || newcomersInARow < limit else {
            newcomersInARow = 0
            return served.first
        }
        newcomersInARow = served.isEmpty ? 0 : newcomersInARow + 1
        return newcomer
    }
}

/// Batches that may share chunks.
struct WorkGroup: Sendable {
    struct Key: Hashable, Sendable {
        var lane: Int
        var handler: Int
        var timeout: Double?
    }

    let key: Key
    /// Batches in memory that belong here.
    var batches = 0
    /// Those that are small and have jobs to hand out, and how many jobs these are.
    var small = IndexList()
    var ready = 0
}
