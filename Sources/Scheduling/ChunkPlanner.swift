/// The rules for the size of chunks.
struct ChunkPlanner: Sendable {
    var limits: ScheduleLimits
    /// How many chunks can run at once.
    var slots: Int

    /// The chunk size of Python's `Pool.map`: `divmod(total, 4 * slots)`, plus 1 if there is a remainder.
    func pythonSize(total: Int) -> Int {
        let (size, rest) = total.quotientAndRemainder(dividingBy: 4 * max(1, slots))
        return max(1, rest > 0 ? size + 1 : size)
    }

    /// How many of `ready` jobs to put into the next chunk.
    ///
    /// As many as fill `chunkSeconds`, but towards the end no more than leave two chunks for each slot, so that all slots end
    /// at about the same time; unless that would make chunks that are not worth their way. A handler that is not known yet is
    /// tried with a single job.
    /// - Parameter concurrency: how many chunks of the handler can run at once; nil: as many as there are slots.
    func automaticSize(ready: Int, speed: HandlerSpeed, concurrency: Int? = nil) -> Int {
        guard let seconds = speed.secondsPerJob else { return 1 }
        let full = min(limits.chunkJobs, speed.growthLimit, Int(limits.chunkSeconds / seconds))
        let shares = 2 * max(1, min(slots, concurrency ?? slots))
        let balanced = (ready + shares - 1) / shares
        let worthwhile = Int((limits.smallestChunkSeconds / seconds).rounded(.up))
        return max(1, min(full, max(balanced, worthwhile)))
    }

    /// Whether jobs of several batches go into one chunk. Slow or unknown ones do not while other slots are idle.
    func coalesces(speed: HandlerSpeed, freeSlots: Int) -> Bool {
        guard let seconds = speed.secondsPerJob else { return false }
        return seconds < limits.slowJobSeconds || freeSlots <= 1
    }
}
