package import JobModel

/// What runs chunks: the pool of workers, or a double of it in tests. It answers with `ChunkEvent`s.
package protocol ChunkRunner: AnyObject, Sendable {
    /// How many chunks can run at once.
    var slots: Int { get }
    /// Runs a chunk. Never more than `slots` are handed in at once.
    func run(_ chunk: Chunk)
    /// Stops a chunk as soon as it can; what was not heard of by then comes back: with `.interrupted` and a failure of the kind
    /// `cancelled` if a job had to be killed, else with `.returned`. Unknown ids are ignored.
    func cancel(_ chunk: UInt64)
    /// The same in a hurry: a job that does not end by itself gets no more than a moment, also if its chunk is being stopped already.
    func abort(_ chunk: UInt64)
    /// Starts no further job of a chunk: the one that runs goes on to its end, and what has not begun comes back with `.returned`. If
    /// there is nothing of that kind, the chunk ends as it would have. Unknown ids are ignored.
    func recall(_ chunk: UInt64)
    /// There is more than enough to record: stop to hand on outcomes. Workers wait, at nobody's cost.
    func pause()
    /// Go on.
    func resume()
}
