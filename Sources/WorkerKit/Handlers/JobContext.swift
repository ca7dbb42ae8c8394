package import JobModel
import Platform

/// Which job a handler is working on, and how it speaks about it with the service.
///
/// It may be used on any thread while the job runs. What is said through it afterwards is not heard, and does no harm.
public struct JobContext: Sendable {
    let job: JobReference
    private let startedAt: MonotonicTime

    init(_ job: JobReference, startedAt: MonotonicTime) {
        self.job = job
        self.startedAt = startedAt
    }

    /// A context that belongs to no worker: nobody hears what is said through it.
    package init(batch: BatchID, index: Int, attempt: Int) {
        self.init(
            JobReference(part: JobPart(batch: batch, first: index, attempt: attempt), index: index), startedAt: .now())
    }

    // MARK: What it is

    package var batch: BatchID { job.part.batch }

    /// Such as `job_01JFHQ8X2M6E4T0S1V3W5Y7Z9A_17`: the same for every attempt, so it can serve as an idempotency key.
    public var jobID: String { JobID(batch: batch, index: index).description }

    /// Such as `bat_01JFHQ8X2M6E4T0S1V3W5Y7Z9A`.
    public var batchID: String { batch.description }

    /// The job's place in its batch, from 0.
    public var index: Int { job.index }

    /// Which try of the job this is, from 1.
    public var attempt: Int { job.part.attempt }

    /// The W3C trace context (`traceparent`) that the batch was submitted with, to be passed on in requests that the handler
    /// makes; nil if there was none.
    public var traceparent: String? { job.part.traceparent }

    // MARK: How long it may run

    /// Seconds until the job's time-out, when its process is killed; 0 if that is due, nil if it has none.
    public var remainingSeconds: Double? {
        job.part.timeout.map { max(0, (startedAt + $0 - .now()).seconds) }
    }

    /// Seconds that the job may run; nil if it has no time-out.
    package var timeLimit: Double? { job.part.timeout?.seconds }

    /// When the job's time-out ends it; nil if it has none.
    public var deadline: ContinuousClock.Instant? {
        remainingSeconds.map { .now + .seconds($0) }
    }

    /// Whether the job was cancelled and should end soon. It is always false unless the handler was made with
    /// ``Handler/withCooperativeCancellation()``: any other's process is ended at once.
    public var isCancelled: Bool { TerminationRequest.isNoted }

    // MARK: What its batch shares

    /// The value that the batch was submitted with for all of its jobs (`"shared"`), decoded once for each worker and batch.
    ///
    /// - Throws: ``JobError`` if the batch has none or it does not fit.
    public func shared<Value: Decodable & Sendable>(as type: Value.Type = Value.self) throws -> Value {
        guard let content = job.part.shared else {
            throw JobError("the batch has no shared value", type: "NoSharedValue")
        }
        return try content.value(as: type)
    }

    /// The same as JSON text in UTF-8; nil if the batch has none.
    public var sharedBytes: [UInt8]? { job.part.shared?.bytes }

    // MARK: What it says

    /// Adds to a counter of the job's batch. The sums over all jobs and workers show in the batch's status while it runs, and
    /// what was added counts even if the process crashes at the next instruction. A job that runs again adds again.
    ///
    /// This costs next to nothing: it writes into memory that the worker shares with the service.
    ///
    /// - Parameter name: 1 to 55 letters, digits, `_`, `-` and `.`. A batch has at most 64 counters. What does not fit is left
    ///   out, and the job's log says so.
    public func add(_ amount: Int = 1, to name: String) {
        job.part.link?.add(Int64(amount), to: name, job)
    }

    /// Says how far the job is, for its resource and the event stream.
    ///
    /// At most ten reports a second go out; the last one always does, before the job's outcome.
    ///
    /// - Parameters:
    ///   - progress: from 0 to 1; nil if the job cannot tell.
    ///   - message: a few words for a person; what is longer than 1,024 bytes loses its end.
    public func report(progress: Double? = nil, message: String? = nil) {
        let fraction = progress.flatMap { $0.isNaN ? nil : $0 }
        job.part.link?.report(JobProgress(fraction: fraction, message: message), job)
    }
}

/// Consecutive jobs of one batch in a worker: what their contexts have in common.
final class JobPart: Sendable {
    let batch: BatchID
    /// The index of its first job in the batch.
    let first: Int
    let attempt: Int
    let traceparent: String?
    let timeout: TimeSpan?
    let shared: SharedContent?
    let chunk: UInt64
    /// The position of its first job in the chunk.
    let position: Int
    /// The number of its first job among all that the worker has run, from 1.
    let number: UInt64
    /// nil outside of a worker.
    let link: WorkerLink?

    init(
        batch: BatchID, first: Int, attempt: Int, traceparent: String? = nil, timeout: TimeSpan? = nil,
        shared: SharedContent? = nil, chunk: UInt64 = 0, position: Int = 0, number: UInt64 = 1, link: WorkerLink? = nil
    ) {
        self.batch = batch
        self.first = first
        self.attempt = attempt
        self.traceparent = traceparent
        self.timeout = timeout
        self.shared = shared
        self.chunk = chunk
        self.position = position
        self.number = number
        self.link = link
    }
}
