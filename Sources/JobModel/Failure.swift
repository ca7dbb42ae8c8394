/// Why one attempt of a job did not succeed.
package struct Failure: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The handler reported an error (it threw).
        case exception
        /// The worker process ended by itself in the middle of the job.
        case exit
        /// A signal killed the worker process in the middle of the job.
        case signal
        /// The job ran past its time-out and its worker was killed.
        case timeout
        /// The worker held more memory than its handler may and was killed.
        case memoryLimit = "memory_limit"
        /// The job used more processor time than its handler may and was killed.
        case cpuLimit = "cpu_limit"
        /// The result is larger than its handler's may be.
        case outputLimit = "output_limit"
        /// The result is no valid JSON.
        case invalidResult = "invalid_result"
        /// The handler is not registered in this service any more.
        case unknownHandler = "unknown_handler"
        /// The job was cancelled while it ran.
        case cancelled
    }

    package var kind: Kind
    /// One sentence for a person.
    package var message: String
    /// The error's type as the handler's language names it, for `exception`.
    package var type: String?
    /// Where it was raised, as the language prints it.
    package var traceback: String?
    /// How the worker died; or, where it goes on, what it has measured. nil where nothing is known.
    package var death: DeathCertificate?

    package init(
        kind: Kind, message: String, type: String? = nil, traceback: String? = nil, death: DeathCertificate? = nil
    ) {
        self.kind = kind
        self.message = message
        self.type = type
        self.traceback = traceback
        self.death = death
    }
}

/// What is known of the process that a job failed in: a worker that died, a worker that goes on after the failure, or the command that
/// a worker ran for the job.
package struct DeathCertificate: Hashable, Sendable {
    /// The process's identifier.
    package var processID: Int32
    /// Its exit status, if it exited.
    package var exitCode: Int32?
    /// The name of the signal that killed it, such as `SIGSEGV`.
    package var signal: String?
    /// User and system time that the process, and children that it had waited for, used from the job's start on. Jobs that are
    /// shorter than a few milliseconds share a start.
    package var cpuSeconds: Double
    /// The largest resident set size of the process from that start on; where the system does not let it be measured anew, of the
    /// process's whole life.
    package var peakResidentBytes: Int64
    /// How long the job had run.
    package var wallSeconds: Double
    /// The last 2 KiB that the process wrote to its standard error from that start on, as far as they are text.
    package var standardError: String?

    package init(
        processID: Int32, exitCode: Int32? = nil, signal: String? = nil, cpuSeconds: Double = 0,
        peakResidentBytes: Int64 = 0, wallSeconds: Double = 0, standardError: String? = nil
    ) {
        self.processID = processID
        self.exitCode = exitCode
        self.signal = signal
        self.cpuSeconds = cpuSeconds
        self.peakResidentBytes = peakResidentBytes
        self.wallSeconds = wallSeconds
        self.standardError = standardError
    }
}
