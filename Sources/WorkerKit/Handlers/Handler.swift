/// A named function that turns one job's payload into a result.
///
/// ```swift
/// Handler("greet") { (name: String, _) in "Hello, \(name)!" }
///
/// Handler("classify", prepare: { try Model.load() }, worker: { model in Session(model) }) {
///     (image: ImageReference, session, context) in
///     try session.classify(image, within: context.remainingSeconds)
/// }
/// ```
///
/// It runs in a forked worker process, one job at a time. What it throws fails that job; if it crashes, the job fails and
/// its neighbours are not touched. A job may run more than once (its worker can be lost before its outcome is recorded), so
/// a handler should bear repetition.
///
/// ## Preparation
///
/// - `prepare` runs once, before any worker is forked, and its value is shared by all workers: what it loads is in memory once,
///   however many workers there are. At that time the process has to have one thread and keep it so: start no thread, no
///   `Task`, no queue. What it opens stays open in the workers, who then share it: one place in a file, one connection.
/// - `worker` runs once in each worker, when it is fresh, and makes what belongs to that worker alone, such as a connection or
///   a cache. It and `run` may use threads and Swift concurrency freely.
///
/// If either throws, crashes or takes too long, the handler is reported as unhealthy with the reason, its jobs wait, and it is
/// tried again later; other handlers are not touched. What they make need not be `Sendable`: jobs use it one after the other.
public struct Handler: Sendable {
    /// What requests name it by.
    public let name: String
    /// Whether it has a `prepare` or a `worker` step, whose failure must not touch other handlers.
    package let hasPreparation: Bool
    /// Whether it ends by itself when its job is cancelled.
    package private(set) var isCooperative = false
    /// Whether what it appends has to be checked, because it does not come from an encoder.
    let needsValidation: Bool
    /// Runs in the zygote and returns what runs in each worker, which returns what runs for each job.
    let prepare: @Sendable () throws -> WorkerStep

    typealias WorkerStep = () throws -> Work

    /// What runs jobs in a worker.
    enum Work {
        case single(Body)
        case pipeline(any JobPipeline)
    }

    /// Reads the payload's text, appends the result's text.
    typealias Body = (UnsafeRawBufferPointer, inout ResultBuffer, JobContext) throws -> Void

    /// A handler with preparation.
    init(name: String, needsValidation: Bool, prepare: @escaping @Sendable () throws -> WorkerStep) {
        self.name = name
        self.needsValidation = needsValidation
        self.prepare = prepare
        hasPreparation = true
    }

    /// A handler without preparation.
    init(
        name: String, needsValidation: Bool,
        body: @escaping @Sendable (UnsafeRawBufferPointer, inout ResultBuffer, JobContext) throws -> Void
    ) {
        self.name = name
        self.needsValidation = needsValidation
        prepare = { { .single(body) } }
        hasPreparation = false
    }

    /// A handler that takes jobs ahead.
    /// - Parameter make: runs once in each worker.
    package static func pipelined(_ name: String, make: @escaping @Sendable () -> any JobPipeline) -> Handler {
        Handler(name: name, pipeline: make)
    }

    private init(name: String, pipeline: @escaping @Sendable () -> any JobPipeline) {
        self.name = name
        needsValidation = false
        prepare = { { .pipeline(pipeline()) } }
        hasPreparation = false
    }

    /// A handler of typed values. `Int`, `Double`, `Bool` and `String` are read and written directly, other types through
    /// Foundation's JSON coders, with dates as RFC 3339.
    ///
    /// A payload that does not fit `Payload`, and a result that JSON cannot express (such as an infinite number), fail the job.
    public init<Payload: Decodable & SendableMetatype, Result: Encodable & SendableMetatype>(
        _ name: String, run: @escaping @Sendable (Payload, JobContext) throws -> Result
    ) {
        let read = PayloadReader<Payload>.best()
        let write = ResultWriter<Result>.best()
        self.init(name: name, needsValidation: false) { text, buffer, context in
            try write(try run(try read(text), context), &buffer)
        }
    }

    /// A handler of raw JSON text, for speed: nothing is decoded or encoded around it.
    ///
    /// - Parameter run: gets the payload as JSON text in UTF-8 that is known to be valid, and appends the result's text to
    ///   the buffer. That must be exactly one JSON value: it is checked once for each job, and the job fails otherwise.
    public static func bytes(
        _ name: String, run: @escaping @Sendable (RawSpan, inout ResultBuffer, JobContext) throws -> Void
    ) -> Handler {
        Handler(name: name, needsValidation: true) { text, buffer, context in try run(text.bytes, &buffer, context) }
    }

    /// Like `bytes`, for the project's own handlers, which use JSONBytes on the text.
    package static func unsafeBytes(
        _ name: String,
        run: @escaping @Sendable (UnsafeRawBufferPointer, inout ResultBuffer, JobContext) throws -> Void
    ) -> Handler {
        Handler(name: name, needsValidation: true, body: run)
    }

    /// The same handler, which ends by itself when its job is cancelled.
    ///
    /// Without this, cancelling a running job ends its worker process at once. With it, ``JobContext/isCancelled`` becomes true
    /// (and the `Task` of an `async` handler is cancelled), and the handler has the service's grace period to put things in
    /// order and return or throw; then the process is killed.
    public func withCooperativeCancellation() -> Handler {
        var handler = self
        handler.isCooperative = true
        return handler
    }
}
