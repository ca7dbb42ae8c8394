/// A handler as the pool knows it: its name, and the rules for the workers that run it.
package struct HandlerProfile: Hashable, Sendable {
    package var name: String
    package var limits: HandlerLimits
    package var recycling: RecyclingPolicy
    /// Jobs of it that may run at once, in all workers together; nil: as many as there are workers.
    package var concurrency: Int?

    package init(
        name: String, limits: HandlerLimits = HandlerLimits(), recycling: RecyclingPolicy = RecyclingPolicy(),
        concurrency: Int? = nil
    ) {
        self.name = name
        self.limits = limits
        self.recycling = recycling
        self.concurrency = concurrency
    }
}

/// What one job of a handler may use. Each is enforced from outside of the handler's code; nil: no limit of its own.
package struct HandlerLimits: Hashable, Sendable {
    /// Seconds; a batch may ask for less, not for more.
    package var timeout: Double?
    /// Of the worker process while it runs the job.
    package var residentBytes: Int64?
    /// Processor time of the job in seconds; the kernel counts whole ones.
    package var cpuSeconds: Double?
    /// Open file descriptors of the worker process.
    package var openFiles: Int?
    /// Bytes of the job's result.
    package var outputBytes: Int?

    package init(
        timeout: Double? = nil, residentBytes: Int64? = nil, cpuSeconds: Double? = nil, openFiles: Int? = nil,
        outputBytes: Int? = nil
    ) {
        self.timeout = timeout
        self.residentBytes = residentBytes
        self.cpuSeconds = cpuSeconds
        self.openFiles = openFiles
        self.outputBytes = outputBytes
    }
}

/// When a worker gives way to a fresh one, between two chunks; nil: never for this reason.
package struct RecyclingPolicy: Hashable, Sendable {
    /// Jobs that it has run.
    package var jobs: Int?
    /// Its resident size.
    package var residentBytes: Int64?
    /// Seconds since its fork.
    package var age: Double?

    package init(jobs: Int? = nil, residentBytes: Int64? = nil, age: Double? = nil) {
        self.jobs = jobs
        self.residentBytes = residentBytes
        self.age = age
    }
}

/// Why handlers cannot run at the moment.
package struct Unhealthy: Hashable, Sendable {
    /// One sentence or more for a person.
    package var reason: String
    /// Seconds until it is tried again, roughly.
    package var retryAfter: Double
    /// Nothing has failed, it only takes time: jobs are accepted meanwhile, and wait.
    package var acceptsJobs: Bool

    package init(reason: String, retryAfter: Double, acceptsJobs: Bool = false) {
        self.reason = reason
        self.retryAfter = retryAfter
        self.acceptsJobs = acceptsJobs
    }
}
