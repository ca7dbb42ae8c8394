package import JobModel
package import JobStore
package import Logging
package import Platform

/// What the API asks of the store.
package typealias APIStore = BatchSubmitting & BatchReading & QueueKeeping

/// What the API is built upon. All closures may be called on any thread and must not block.
package struct APIConfiguration: Sendable {
    package var store: any APIStore
    /// Runs what blocks (reads of the store) and what takes long (large bodies).
    package var tasks: TaskThreads
    package var live: any LiveState
    package var pool: any PoolControl
    package var events = EventSettings()
    /// The registered handlers. Their names and rules are read at the start and by `API.readHandlers`; how they are is asked with
    /// every request.
    package var handlers: @Sendable () -> [HandlerDescription]
    package var limits: APILimits
    /// The bearer token that every request must carry, but for those that ask after the service's health; nil: none.
    package var token: String?
    /// Whether requests must name this machine and must not come from a web page of elsewhere: for a service that only
    /// loopback can reach and that asks for no token.
    package var keepsWebPagesOut = false
    package var readiness: @Sendable () -> Readiness
    /// Why this is no URL for a callback, as the rest of a sentence such as "must be an http or https URL"; nil if it is one.
    package var callbackURLProblem: @Sendable (String) -> String?
    /// Why this is no secret for a callback, as the rest of a sentence; nil if it is one.
    package var secretProblem: @Sendable (String) -> String?
    /// The text of openapi.yaml.
    package var openapi: [UInt8]
    /// Seconds that a job may run if its batch does not say; nil: no limit.
    package var defaultTimeout: Double?
    /// The wall clock.
    package var clock: @Sendable () -> Timestamp
    package var version: String
    package var logger: Logger

    package init(
        store: any APIStore, tasks: TaskThreads, live: any LiveState, pool: any PoolControl,
        handlers: @escaping @Sendable () -> [HandlerDescription], limits: APILimits = APILimits(), token: String? = nil,
        readiness: @escaping @Sendable () -> Readiness,
        callbackURLProblem: @escaping @Sendable (String) -> String?,
        secretProblem: @escaping @Sendable (String) -> String?, openapi: [UInt8], defaultTimeout: Double? = nil,
        clock: @escaping @Sendable () -> Timestamp, version: String, logger: Logger
    ) {
        self.store = store
        self.tasks = tasks
        self.live = live
        self.pool = pool
        self.handlers = handlers
        self.limits = limits
        self.token = token
        self.readiness = readiness
        self.callbackURLProblem = callbackURLProblem
        self.secretProblem = secretProblem
        self.openapi = openapi
        self.defaultTimeout = defaultTimeout
        self.clock = clock
        self.version = version
        self.logger = logger
    }
}

/// How large a request may be. Sizes are bytes.
package struct APILimits: Sendable {
    package var maximumBodyBytes = 64 << 20
    /// Of one job.
    package var maximumPayloadBytes = 1 << 20
    /// In one batch.
    package var maximumJobs = 10_000_000
    package var maximumMetadataBytes = 16 << 10
    /// Of the value that a batch shares with its jobs.
    package var maximumSharedBytes = 16 << 20
    /// Of arrays and objects inside each other.
    package var maximumDepth = 512

    package init() {}
}

/// What runs right now, which the store does not know.
package protocol LiveState: Sendable {
    /// How many jobs of the batch are with workers.
    func running(in batch: BatchID) -> Int
    func isRunning(_ job: JobID) -> Bool
    /// How many jobs of the queue run at this moment.
    func running(inQueue name: String) -> Int
    /// What a running job said last about how far it is.
    func progress(of job: JobID) -> JobProgress?
    /// What a running job has logged and may not be in the store yet.
    func logs(of job: JobID) -> [JobLog]
    /// Why a handler cannot run now; nil if it can. Asked with every submission.
    func unhealthy(_ handler: String) -> Unhealthy?
}

/// The pool of workers.
package protocol PoolControl: Sendable {
    func snapshot() -> PoolSnapshot
    /// Holds until the service ends: it is not stored.
    func resize(to slots: Int)
}

/// A handler that requests can name.
package struct HandlerDescription: Sendable, Hashable {
    package var profile: HandlerProfile
    /// What runs it: `swift`, `python`, `command`.
    package var runtime: String
    /// Why no worker can run it now; nil: it can run.
    package var unhealthy: Unhealthy?
    /// How often a job is tried, and how long it rests, where its batch does not say; nil: as for every handler.
    package var maximumAttempts: Int?
    package var backoff: Backoff?
    /// The queue of batches that name none; nil: the default one.
    package var queue: String?
    /// When the processes that run it were prepared last; nil: not yet.
    package var loadedAt: Timestamp?
    /// Why it could not be loaded anew when that was asked for last, and runs as before.
    package var reloadProblem: String?

    package init(
        _ profile: HandlerProfile, runtime: String, unhealthy: Unhealthy? = nil, maximumAttempts: Int? = nil,
        backoff: Backoff? = nil, queue: String? = nil
    ) {
        self.profile = profile
        self.runtime = runtime
        self.unhealthy = unhealthy
        self.maximumAttempts = maximumAttempts
        self.backoff = backoff
        self.queue = queue
    }

    package var name: String { profile.name }
}

/// Whether the service accepts work.
package struct Readiness: Sendable, Hashable {
    /// What stands in the way, a sentence each; empty: ready.
    package var obstacles: [String]

    package init(obstacles: [String] = []) { self.obstacles = obstacles }
}
