/// Jobs of one handler that a worker gets at once: a range of one segment, or several small batches together.
package struct Chunk: Sendable, Hashable {
    /// Unique while the service runs.
    package var id: UInt64
    package var handler: String
    /// Seconds that each of its jobs may run; nil: no limit.
    package var timeout: Double?
    /// At least one. A job's *position* in the chunk counts through all parts, from 0.
    package var parts: [Part]

    package init(id: UInt64, handler: String, timeout: Double?, parts: [Part]) {
        self.id = id
        self.handler = handler
        self.timeout = timeout
        self.parts = parts
    }

    package var count: Int { parts.reduce(0) { $0 + $1.count } }

    /// Consecutive jobs of one batch, all on the same try.
    package struct Part: Sendable, Hashable {
        package var batch: BatchID
        /// The index of its first job in the batch.
        package var first: Int
        package var count: Int
        /// Which try of these jobs this is, from 1.
        package var attempt: Int
        /// `count` valid JSON values with commas between them, without brackets.
        package var input: [UInt8]

        package init(batch: BatchID, first: Int, count: Int, attempt: Int, input: [UInt8]) {
            self.batch = batch
            self.first = first
            self.count = count
            self.attempt = attempt
            self.input = input
        }
    }
}

/// What is heard of a chunk that runs.
package enum ChunkEvent: Sendable, Hashable {
    /// Jobs from `position` on are done, in order, without gaps: each chunk's runs arrive in the order of its jobs.
    case outcomes(chunk: UInt64, position: Int, runs: [ChunkRun])
    /// The last that is heard of a chunk.
    case ended(chunk: UInt64, ChunkEnd)
    /// How many chunks can run at once from now on; 0 while no worker can be had.
    case slots(Int)
}

/// The same outcome of consecutive jobs. A run never crosses the boundary of a part.
package enum ChunkRun: Sendable, Hashable {
    /// Results as compact JSON values with commas between them.
    case succeeded(count: Int, body: [UInt8])
    /// One job whose handler reported a failure. It was charged an attempt.
    case failed(Failure)

    package var count: Int {
        switch self {
        case .succeeded(let count, _): count
        case .failed: 1
        }
    }
}

package enum ChunkEnd: Sendable, Hashable {
    /// Every job was heard of.
    /// - busy: seconds from the first job's start to the last one's end.
    case completed(busy: Double)
    /// The worker died or was killed because of the job at `position`, which is charged an attempt; the jobs before it were
    /// heard of, those behind it have not run.
    case interrupted(position: Int, failure: Failure)
    /// The worker stopped for reasons that no job has to answer for, or because `cancel` was asked: what was not heard of
    /// may run again at no cost.
    case returned
}
