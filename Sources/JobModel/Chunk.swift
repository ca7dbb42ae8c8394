/// Jobs of one handler that a worker gets at once: a range of one segment, or several small batches together.
package struct Chunk: Sendable, Hashable {
    /// Unique while the service runs.
    package var id: UInt64
    package var handler: String
    /// Seconds that each of its jobs may run; nil: no limit.
    package var timeout: Double?
    /// What the jobs' batch gives to all of them; a chunk that has it holds jobs of this batch only.
    package var shared: SharedValue?
    /// Its one job may be what kills the zygote: no other job is to run beside it under the same one.
    package var isSolitary: Bool
    /// At least one. A job's *position* in the chunk counts through all parts, from 0.
    package var parts: [Part]

    package init(
        id: UInt64, handler: String, timeout: Double?, shared: SharedValue? = nil, isSolitary: Bool = false,
        parts: [Part]
    ) {
        self.id = id
        self.handler = handler
        self.timeout = timeout
        self.shared = shared
        self.isSolitary = isSolitary
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
        /// The W3C trace context that the batch was submitted with.
        package var traceparent: String?
        /// `count` valid JSON values with commas between them, without brackets.
        package var input: [UInt8]

        package init(
            batch: BatchID, first: Int, count: Int, attempt: Int, traceparent: String? = nil, input: [UInt8]
        ) {
            self.batch = batch
            self.first = first
            self.count = count
            self.attempt = attempt
            self.traceparent = traceparent
            self.input = input
        }
    }
}

/// One JSON value that a batch gives to each worker once, however many of its jobs the worker runs.
package struct SharedValue: Sendable, Hashable {
    package var batch: BatchID
    /// JSON text.
    package var bytes: [UInt8]

    package init(batch: BatchID, bytes: [UInt8]) {
        self.batch = batch
        self.bytes = bytes
    }
}

/// What is heard of a chunk that runs.
package enum ChunkEvent: Sendable, Hashable {
    /// Jobs from `position` on are done, in order, without gaps: each chunk's runs arrive in the order of its jobs.
    case outcomes(chunk: UInt64, position: Int, runs: [ChunkRun])
    /// The last that is heard of a chunk.
    case ended(chunk: UInt64, ChunkEnd)
    /// What the job at `position` says of itself; the newest counts.
    case progress(chunk: UInt64, position: Int, JobProgress)
    /// What the job at `position` logged or printed, and how many more lines were beyond a rate and left out.
    case logged(chunk: UInt64, position: Int, [LogLine], dropped: Int = 0)
    /// What was added to the counters of the batch that the job at `position` belongs to; each addition comes once.
    case counted(chunk: UInt64, position: Int, [CounterDelta])
    /// How many chunks can run at once from now on; 0 while no worker can be had.
    case slots(Int)
    /// The handlers cannot run from now on; what was handed to `run` for them comes back. nil: they can, again or for the first time.
    case health(handlers: [String], Unhealthy?)
    /// The handlers are run by what was prepared just now. Or, if there is a problem: they were to be prepared anew, that has
    /// failed, and they are run as before.
    /// - generation: which reload that belongs to; 0: the start.
    case loaded(handlers: [String], problem: String?, generation: Int = 0)
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
    /// The worker died or was killed while it ran the job at `position`; the jobs before it were heard of, those behind it have
    /// not run. The job is charged an attempt, unless the failure's kind is `cancelled`: then the worker was killed because
    /// `cancel` was asked, and the failure only says how it ended.
    case interrupted(position: Int, failure: Failure)
    /// The worker died or had to be killed, for no known reason, while it ran none of the chunk's jobs: when it received them, or
    /// between two. What was not heard of may run again at no cost, each job alone; one that is lost alone again is charged an
    /// attempt with this failure.
    case lost(Failure)
    /// The zygote was lost, and with it the worker, while it ran the job at `position`. The job may have done it, or one that ran
    /// beside it, or none: it may run again at no cost, and so may those behind it; but one that was solitary, and alone up to the
    /// end, is charged an attempt.
    case orphaned(position: Int, charged: Failure?)
    /// The worker stopped for reasons that no job has to answer for, or because `cancel` was asked while no job ran, or it was asked to
    /// hand back what it had not begun: what was not heard of may run again at no cost.
    case returned
}
