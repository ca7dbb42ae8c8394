/// Batches of one handler in one lane that have jobs to hand out. The tracks of a level take turns, and batches inside a track.
struct Track: Sendable {
    struct Key: Hashable, Sendable {
        var lane: Int
        var handler: Int
    }

    let key: Key
    /// Batches that had no chunk yet, and those that had.
    var newcomers = IndexList()
    var served = IndexList()
    /// Whether it stands in its level's rotation: it has work, and its handler and its queue may run.
    var isListed = false
    private var newcomersInARow = 0

    init(key: Key) { self.key = key }

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
