package import JobModel
package import JobStore
package import Logging
package import Platform

/// What the API is built upon. All closures may be called on any thread and must not block.
package struct APIConfiguration: Sendable {
    package var store: any BatchSubmitting & BatchReading
    /// Runs what blocks (reads of the store) and what takes long (large bodies).
    package var tasks: TaskThreads
    package var live: any LiveState
    /// The registered handlers. Their names are read once; whether they are healthy is asked with every request.
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
    /// The text of openapi.yaml.
    package var openapi: [UInt8]
    /// Seconds that a job may run if its batch does not say; nil: no limit.
    package var defaultTimeout: Double?
    /// The wall clock.
    package var clock: @Sendable () -> Timestamp
    package var version: String
    package var logger: Logger

    package init(
        store: any BatchSubmitting & BatchReading, tasks: TaskThreads, live: any LiveState,
        handlers: @escaping @Sendable () -> [HandlerDescription], limits: APILimits = APILimits(), token: String? = nil,
        readiness: @escaping @Sendable () -> Readiness,
        callbackURLProblem: @escaping @Sendable (String) -> String?, openapi: [UInt8], defaultTimeout: Double? = nil,
        clock: @escaping @Sendable () -> Timestamp, version: String, logger: Logger
    ) {
        self.store = store
        self.tasks = tasks
        self.live = live
        self.handlers = handlers
        self.limits = limits
        self.token = token
        self.readiness = readiness
        self.callbackURLProblem = callbackURLProblem
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
    /// Of arrays and objects inside each other.
    package var maximumDepth = 512

    package init() {}
}

/// What runs right now, which the store does not know.
package protocol LiveState: Sendable {
    /// How many jobs of the batch are with workers.
    func running(in batch: BatchID) -> Int
    func isRunning(_ job: JobID) -> Bool
}

/// A handler that requests can name.
package struct HandlerDescription: Sendable, Hashable {
    package var name: String
    /// What runs it: `swift`, `python`, `command`.
    package var runtime: String
    /// Workers for it can be had.
    package var healthy: Bool

    package init(name: String, runtime: String, healthy: Bool) {
        self.name = name
        self.runtime = runtime
        self.healthy = healthy
    }
}

/// Whether the service accepts work.
package struct Readiness: Sendable, Hashable {
    /// What stands in the way, a sentence each; empty: ready.
    package var obstacles: [String]

    package init(obstacles: [String] = []) { self.obstacles = obstacles }
}
