/// What the pool looks like at one moment: its size, its workers and its runtimes.
package struct PoolSnapshot: Sendable, Hashable {
    /// One process, from the moment that it was asked for to the moment that it is reaped.
    package struct Worker: Sendable, Hashable {
        package enum State: String, Sendable, CaseIterable {
            /// Asked for, forked, or on its per-worker step; it cannot run anything yet.
            case starting
            case idle
            case busy
            /// It was told to end, or is dead and not reaped yet.
            case stopping
        }

        /// nil until it is forked.
        package var processID: Int32?
        package var runtime: String
        package var state: State
        /// The job that runs on it now; nil also between two jobs of a chunk.
        package var job: JobID?
        /// Of the chunk that it works on.
        package var handler: String?
        /// Seconds that it is in this state, or that the job has run if there is one.
        package var since: Double
        /// nil if the kernel does not tell.
        package var residentBytes: Int64?
        /// How many jobs it has finished.
        package var jobs: Int
        /// Seconds since it was asked for.
        package var age: Double

        package init(
            processID: Int32?, runtime: String, state: State, job: JobID? = nil, handler: String? = nil, since: Double,
            residentBytes: Int64? = nil, jobs: Int, age: Double
        ) {
            self.processID = processID
            self.runtime = runtime
            self.state = state
            self.job = job
            self.handler = handler
            self.since = since
            self.residentBytes = residentBytes
            self.jobs = jobs
            self.age = age
        }
    }

    /// A group of handlers that one zygote prepares together. While it is prepared anew, there are two of the same name.
    package struct Runtime: Sendable, Hashable {
        package enum State: String, Sendable, CaseIterable {
            case starting, ready, unhealthy
            /// Another one has taken its place; its last chunks come to their ends.
            case stopping
        }

        package var name: String
        package var state: State
        /// Of its zygote, while there is one.
        package var processID: Int32?
        package var handlers: [String]
        /// Why it is unhealthy, or was when it was tried last.
        package var reason: String?

        package init(name: String, state: State, processID: Int32? = nil, handlers: [String], reason: String? = nil) {
            self.name = name
            self.state = state
            self.processID = processID
            self.handlers = handlers
            self.reason = reason
        }
    }

    /// How many workers may live at once.
    package var size: Int
    /// In the order in which they were asked for.
    package var workers: [Worker]
    package var runtimes: [Runtime]

    package init(size: Int, workers: [Worker], runtimes: [Runtime]) {
        self.size = size
        self.workers = workers
        self.runtimes = runtimes
    }
}
