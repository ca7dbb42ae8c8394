import JobModel

/// A named function that turns one job's payload into a result.
///
/// It runs in a forked worker process, one job at a time. What it throws fails that job; if it crashes, the job fails and
/// its neighbours are not touched. A job may run more than once (its worker can be lost before its outcome is recorded), so
/// a handler should bear repetition.
public struct Handler: Sendable {
    /// What requests name it by.
    public let name: String

    /// Reads the payload's text, appends the result's text.
    let body: @Sendable (UnsafeRawBufferPointer, inout ResultBuffer, JobContext) throws -> Void
    /// Whether what `body` appends has to be checked, because it does not come from an encoder.
    let needsValidation: Bool

    /// A handler of typed values. `Int`, `Double`, `Bool` and `String` are read and written directly, other types through
    /// Foundation's JSON coders, with dates as RFC 3339.
    ///
    /// A payload that does not fit `Payload`, and a result that JSON cannot express (such as an infinite number), fail the job.
    public init<Payload: Decodable & SendableMetatype, Result: Encodable & SendableMetatype>(
        _ name: String, run: @escaping @Sendable (Payload, JobContext) throws -> Result
    ) {
        let read = PayloadReader<Payload>.best()
        let write = ResultWriter<Result>.best()
        self.name = name
        needsValidation = false
        body = { text, buffer, context in
            try write(try run(try read(text), context), &buffer)
        }
    }

    private init(
        name: String, body: @escaping @Sendable (UnsafeRawBufferPointer, inout ResultBuffer, JobContext) throws -> Void
    ) {
        self.name = name
        self.body = body
        needsValidation = true
    }

    /// A handler of raw JSON text, for speed: nothing is decoded or encoded around it.
    ///
    /// - Parameter run: gets the payload as JSON text in UTF-8 that is known to be valid, and appends the result's text to
    ///   the buffer. That must be exactly one JSON value: it is checked once for each job, and the job fails otherwise.
    public static func bytes(
        _ name: String, run: @escaping @Sendable (RawSpan, inout ResultBuffer, JobContext) throws -> Void
    ) -> Handler {
        Handler(name: name) { text, buffer, context in try run(text.bytes, &buffer, context) }
    }

    /// Like `bytes`, for the project's own handlers, which use JSONBytes on the text.
    package static func unsafeBytes(
        _ name: String,
        run: @escaping @Sendable (UnsafeRawBufferPointer, inout ResultBuffer, JobContext) throws -> Void
    ) -> Handler {
        Handler(name: name, body: run)
    }

    /// Runs one job and leaves exactly one JSON value in `buffer`, or tells why it failed.
    func run(
        _ payload: UnsafeRawBufferPointer, into buffer: inout ResultBuffer, _ context: JobContext
    ) -> Failure? {
        buffer.removeAll()
        do {
            try body(payload, &buffer, context)
        } catch {
            return Failure(thrown: error)
        }
        if needsValidation && !buffer.normalize() {
            return Failure(kind: .invalidResult, message: "the handler's result is not one valid JSON value")
        }
        return nil
    }
}
