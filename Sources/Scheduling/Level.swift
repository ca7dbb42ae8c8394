/// What is served together: the tracks of all lanes with one rank.
struct Level: Sendable {
    /// The higher one goes first: the queue's priority counts before the batch's.
    struct Rank: Hashable, Comparable, Sendable {
        var queue: Int
        var batch: Int

        static func < (left: Rank, right: Rank) -> Bool { (left.queue, left.batch) < (right.queue, right.batch) }
    }

    let rank: Rank
    /// The tracks that something can be handed out of, the next one first.
    var rotation = IndexList()

    init(rank: Rank) { self.rank = rank }

    var isIdle: Bool { rotation.isEmpty }
}
