/// A handler in a zygote that has done its preparation.
struct PreparedHandler {
    fileprivate let handler: Handler
    fileprivate let workerStep: Handler.WorkerStep

    var name: String { handler.name }

    /// Does the step that each worker does for itself.
    func runnable() throws(StepFailure) -> RunnableHandler {
        do {
            let work: RunnableHandler.Work =
                switch try workerStep() {
                case .single(let body): .single(JobRunner(needsValidation: handler.needsValidation, body: body))
                case .pipeline(let pipeline): .pipeline(pipeline)
                }
            return RunnableHandler(isCooperative: handler.isCooperative, work: work)
        } catch {
            throw StepFailure(step: "worker step", handler: name, error: error)
        }
    }
}

/// A handler in a worker that can run jobs.
struct RunnableHandler {
    enum Work {
        case single(JobRunner)
        case pipeline(any JobPipeline)
    }

    let isCooperative: Bool
    let work: Work

    /// Fails every job: the service does not know the name (any more).
    static func unknown(_ name: String) -> RunnableHandler {
        let runner = JobRunner(needsValidation: false) { _, _, _ in throw UnknownHandler(name: name) }
        return RunnableHandler(isCooperative: false, work: .single(runner))
    }
}

/// Runs the jobs of a handler, each by itself.
struct JobRunner {
    fileprivate let needsValidation: Bool
    fileprivate let body: Handler.Body

    /// Runs one job and leaves exactly one JSON value in `buffer`, or throws why it failed: see `Failure(thrown:)`.
    func run(
        _ payload: UnsafeRawBufferPointer, into buffer: inout ResultBuffer, _ context: JobContext
    ) throws {
        buffer.removeAll()
        try body(payload, &buffer, context)
        if needsValidation && !buffer.normalize() {
            throw UnencodableResult(message: "the handler's result is not one valid JSON value")
        }
    }
}

/// A preparation, or a worker step, that threw.
struct StepFailure: Error, CustomStringConvertible {
    let step: String
    let handler: String
    let error: any Error

    var description: String { "the \(step) of \(handler) failed: \(error)" }
}

extension Handler {
    /// Does its preparation.
    func prepared() throws(StepFailure) -> PreparedHandler {
        do {
            return PreparedHandler(handler: self, workerStep: try prepare())
        } catch {
            throw StepFailure(step: "preparation", handler: name, error: error)
        }
    }
}
