extension Handler {
    /// A handler of typed values that waits for things with `await`.
    ///
    /// The worker runs one job at a time all the same; within it, the handler may do as much at once as it likes.
    public init<Payload: Decodable & SendableMetatype, Result: Encodable & SendableMetatype>(
        _ name: String, run: @escaping @Sendable (Payload, JobContext) async throws -> Result
    ) {
        self.init(name) { (payload: Payload, context: JobContext) throws -> Result in
            try AsyncJob.wait(context) { try await run(payload, context) }
        }
    }

    /// A handler of typed values that waits for things with `await`, with something that all workers share, and something that
    /// each has for itself.
    ///
    /// - Parameters:
    ///   - prepare: runs once, before the workers are forked. It must not use Swift concurrency.
    ///   - worker: runs once in each worker, with what `prepare` returned.
    ///   - run: runs for each job, with what `worker` returned.
    public init<
        Prepared: SendableMetatype, State: SendableMetatype, Payload: Decodable & SendableMetatype,
        Result: Encodable & SendableMetatype
    >(
        _ name: String, prepare: @escaping @Sendable () throws -> Prepared,
        worker: @escaping @Sendable (Prepared) throws -> State,
        run: @escaping @Sendable (Payload, State, JobContext) async throws -> Result
    ) {
        self.init(name, prepare: prepare, worker: worker) {
            (payload: Payload, state: State, context: JobContext) throws -> Result in
            try AsyncJob.wait(context) { try await run(payload, state, context) }
        }
    }

    /// A handler of typed values that waits for things with `await`, with something that all workers share.
    ///
    /// - Parameters:
    ///   - prepare: runs once, before the workers are forked. It must not use Swift concurrency.
    ///   - run: runs for each job, with what `prepare` returned.
    public init<
        Prepared: SendableMetatype, Payload: Decodable & SendableMetatype, Result: Encodable & SendableMetatype
    >(
        _ name: String, prepare: @escaping @Sendable () throws -> Prepared,
        run: @escaping @Sendable (Payload, Prepared, JobContext) async throws -> Result
    ) {
        self.init(name, prepare: prepare, worker: { $0 }, run: run)
    }

    /// A handler of typed values that waits for things with `await`, with something that each worker has for itself.
    ///
    /// - Parameters:
    ///   - worker: runs once in each worker.
    ///   - run: runs for each job, with what `worker` returned.
    public init<State: SendableMetatype, Payload: Decodable & SendableMetatype, Result: Encodable & SendableMetatype>(
        _ name: String, worker: @escaping @Sendable () throws -> State,
        run: @escaping @Sendable (Payload, State, JobContext) async throws -> Result
    ) {
        self.init(name, prepare: {}, worker: { try worker() }, run: run)
    }

    /// A handler of raw JSON text that waits for things with `await`.
    ///
    /// - Parameter run: gets a copy of the payload's text, and appends the result's text to the buffer.
    public static func asyncBytes(
        _ name: String, run: @escaping @Sendable ([UInt8], inout ResultBuffer, JobContext) async throws -> Void
    ) -> Handler {
        Handler(name: name, needsValidation: true) { text, buffer, context in
            buffer = try AsyncJob.result(Array(text), context) { payload, buffer in
                try await run(payload, &buffer, context)
            }
        }
    }

    /// A handler of raw JSON text that waits for things with `await`, with something that all workers share, and something that
    /// each has for itself.
    ///
    /// - Parameters:
    ///   - prepare: runs once, before the workers are forked. It must not use Swift concurrency.
    ///   - worker: runs once in each worker, with what `prepare` returned.
    ///   - run: runs for each job, with what `worker` returned behind the result's buffer.
    public static func asyncBytes<Prepared: SendableMetatype, State: SendableMetatype>(
        _ name: String, prepare: @escaping @Sendable () throws -> Prepared,
        worker: @escaping @Sendable (Prepared) throws -> State,
        run: @escaping @Sendable ([UInt8], inout ResultBuffer, State, JobContext) async throws -> Void
    ) -> Handler {
        Handler(name: name, needsValidation: true, prepare: prepare, worker: worker) { state, text, buffer, context in
            buffer = try AsyncJob.result(Array(text), context) { payload, buffer in
                try await run(payload, &buffer, state, context)
            }
        }
    }

    /// A handler of raw JSON text that waits for things with `await`, with something that all workers share.
    public static func asyncBytes<Prepared: SendableMetatype>(
        _ name: String, prepare: @escaping @Sendable () throws -> Prepared,
        run: @escaping @Sendable ([UInt8], inout ResultBuffer, Prepared, JobContext) async throws -> Void
    ) -> Handler {
        asyncBytes(name, prepare: prepare, worker: { $0 }, run: run)
    }

    /// A handler of raw JSON text that waits for things with `await`, with something that each worker has for itself.
    public static func asyncBytes<State: SendableMetatype>(
        _ name: String, worker: @escaping @Sendable () throws -> State,
        run: @escaping @Sendable ([UInt8], inout ResultBuffer, State, JobContext) async throws -> Void
    ) -> Handler {
        asyncBytes(name, prepare: {}, worker: { try worker() }, run: run)
    }
}
