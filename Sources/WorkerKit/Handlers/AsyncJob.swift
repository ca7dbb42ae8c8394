import Platform

/// Runs one job on Swift concurrency while the worker's main thread waits for it.
enum AsyncJob {
    /// Cancels the task when the job is cancelled and its handler wants to end by itself.
    static func wait<Value>(_ context: JobContext, _ body: @escaping () async throws -> Value) throws -> Value {
        let signal = try context.job.part.link?.wake() ?? EventSignal()
        let outcome = Monitor<Result<Value, any Error>?>(nil)
        let work = Work(body: body)
        let task = Task.detached {
            let result: Result<Value, any Error>
            do { result = .success(try await work.body()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
            signal.signal()
        }
        while true {
            signal.wait()
            signal.drain()
            if let result = outcome.withLock({ $0 }) { return try result.get() }
            if context.isCancelled { task.cancel() }
        }
    }

    /// The same for a handler of raw text, with a buffer of its own.
    static func result(
        _ payload: [UInt8], _ context: JobContext, _ body: @escaping ([UInt8], inout ResultBuffer) async throws -> Void
    ) throws -> ResultBuffer {
        try wait(context) {
            var buffer = ResultBuffer()
            try await body(payload, &buffer)
            return buffer
        }
    }

    private struct Work<Value>: @unchecked Sendable {
        // The thread that hands it over touches nothing of it before the task has ended.
        let body: () async throws -> Value
    }
}
