package import Platform

/// The bounds within which the scheduler works.
package struct ScheduleLimits: Sendable {
    /// Batches of one lane (a queue and a priority) that are held in memory; the rest waits in the store.
    package var lane = 4096
    /// Batches of all lanes together. A lane may hold `smallestLane` in any case.
    package var allLanes = 16_384
    package var smallestLane = 16
    /// Batches of all lanes whose jobs all rest before a retry do not count as held, so that they shut nobody out. They stay
    /// in memory, some hundred bytes each, and that has to end somewhere: from so many on they count like all others.
    package var dormantBatches = 65_536
    /// So many lanes are kept in mind before those that are idle are forgotten.
    package var lanes = 64
    /// Batches read from the store at once.
    package var page = 512

    /// Seconds of work to put into a chunk, and the least that is worth a chunk of its own.
    package var chunkSeconds = 0.02
    package var smallestChunkSeconds = 0.001
    package var chunkJobs = 8192
    /// Bytes of input after which nothing more is put into a chunk.
    package var chunkBytes = 1 << 20
    /// The same for batches that choose their chunk size themselves.
    package var chosenChunkBytes = 16 << 20
    /// Jobs of which each takes this many seconds are spread over idle slots rather than put together.
    package var slowJobSeconds = 0.005
    /// Batches with at most so many jobs to hand out share chunks with others.
    package var smallBatchJobs = 256
    /// So many batches in a chunk are a stream of small ones; what comes behind them gathers for so long.
    package var streamBatches = 8
    package var gatheringTime = TimeSpan.milliseconds(4)
    /// How often in a row a batch that has not run yet may go before those that have.
    package var newcomersInARow = 3

    /// Bytes of input that are read ahead, for one batch and for all.
    package var readAhead = 1 << 20
    package var allReadAhead = 8 << 20
    /// However many batches there are.
    var leastReadAhead: Int { readAhead / 16 }
    /// Bytes of outcomes that wait for their commit before no more chunks are started.
    package var unrecordedBytes = 32 << 20
    /// The same before those that run are not listened to any more, until only `unrecordedBytes` are left.
    package var heldBytes = 64 << 20
    /// Bytes of outcomes and attempts after which no more are put into the same commit.
    package var groupBytes = 8 << 20
    /// Bytes up to which outcomes of consecutive jobs are joined to one row.
    package var runBytes = 256 << 10

    /// Bytes of the values that batches share with their jobs; the newest one stays in memory however large it is.
    package var sharedBytes = 64 << 20
    /// How long lines of a running job wait before they are recorded.
    package var logRest = TimeSpan.milliseconds(1000)

    /// The first and the longest rest before outcomes that the full store refused are offered again.
    package var fullStoreRest = TimeSpan.milliseconds(100)
    package var longestFullStoreRest = TimeSpan.milliseconds(5000)

    package init() {}
}
