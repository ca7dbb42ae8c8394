extension Handler {
    /// A handler of typed values with something that all workers share, and something that each has for itself.
    ///
    /// - Parameters:
    ///   - prepare: runs once, before the workers are forked.
    ///   - worker: runs once in each worker, with what `prepare` returned.
    ///   - run: runs for each job, with what `worker` returned.
    public init<
        Prepared: SendableMetatype, State: SendableMetatype, Payload: Decodable & SendableMetatype,
        Result: Encodable & SendableMetatype
    >(
        _ name: String, prepare: @escaping @Sendable () throws -> Prepared,
        worker: @escaping @Sendable (Prepared) throws -> State,
        run: @escaping @Sendable (Payload, State, JobContext) throws -> Result
    ) {
        let read = PayloadReader<Payload>.best()
        let write = ResultWriter<Result>.best()
        self.init(name: name, needsValidation: false, prepare: prepare, worker: worker) {
            state, text, buffer, context in
            try write(try run(try read(text), state, context), &buffer)
        }
    }

    /// A handler of typed values with something that all workers share.
    ///
    /// - Parameters:
    ///   - prepare: runs once, before the workers are forked.
    ///   - run: runs for each job, with what `prepare` returned.
    public init<
        Prepared: SendableMetatype, Payload: Decodable & SendableMetatype, Result: Encodable & SendableMetatype
    >(
        _ name: String, prepare: @escaping @Sendable () throws -> Prepared,
        run: @escaping @Sendable (Payload, Prepared, JobContext) throws -> Result
    ) {
        self.init(name, prepare: prepare, worker: { $0 }, run: run)
    }

    /// A handler of typed values with something that each worker has for itself.
    ///
    /// - Parameters:
    ///   - worker: runs once in each worker.
    ///   - run: runs for each job, with what `worker` returned.
    public init<State: SendableMetatype, Payload: Decodable & SendableMetatype, Result: Encodable & SendableMetatype>(
        _ name: String, worker: @escaping @Sendable () throws -> State,
        run: @escaping @Sendable (Payload, State, JobContext) throws -> Result
    ) {
        self.init(name, prepare: {}, worker: { try worker() }, run: run)
    }

    /// A handler of raw JSON text (see ``bytes(_:run:)-swift.type.method``) with something that all workers share, and
    /// something that each has for itself.
    ///
    /// - Parameters:
    ///   - prepare: runs once, before the workers are forked.
    ///   - worker: runs once in each worker, with what `prepare` returned.
    ///   - run: runs for each job, with what `worker` returned behind the result's buffer.
    public static func bytes<Prepared: SendableMetatype, State: SendableMetatype>(
        _ name: String, prepare: @escaping @Sendable () throws -> Prepared,
        worker: @escaping @Sendable (Prepared) throws -> State,
        run: @escaping @Sendable (RawSpan, inout ResultBuffer, State, JobContext) throws -> Void
    ) -> Handler {
        Handler(name: name, needsValidation: true, prepare: prepare, worker: worker) { state, text, buffer, context in
            try run(text.bytes, &buffer, state, context)
        }
    }

    /// A handler of raw JSON text with something that all workers share.
    public static func bytes<Prepared: SendableMetatype>(
        _ name: String, prepare: @escaping @Sendable () throws -> Prepared,
        run: @escaping @Sendable (RawSpan, inout ResultBuffer, Prepared, JobContext) throws -> Void
    ) -> Handler {
        bytes(name, prepare: prepare, worker: { $0 }, run: run)
    }

    /// A handler of raw JSON text with something that each worker has for itself.
    public static func bytes<State: SendableMetatype>(
        _ name: String, worker: @escaping @Sendable () throws -> State,
        run: @escaping @Sendable (RawSpan, inout ResultBuffer, State, JobContext) throws -> Void
    ) -> Handler {
        bytes(name, prepare: {}, worker: { try worker() }, run: run)
    }

    init<Prepared, State>(
        name: String, needsValidation: Bool, prepare: @escaping @Sendable () throws -> Prepared,
        worker: @escaping @Sendable (Prepared) throws -> State,
        run: @escaping @Sendable (State, UnsafeRawBufferPointer, inout ResultBuffer, JobContext) throws -> Void
    ) where Prepared: SendableMetatype, State: SendableMetatype {
        self.init(name: name, needsValidation: needsValidation) {
            let prepared = try prepare()
            return {
                let state = try worker(prepared)
                return .single { text, buffer, context in try run(state, text, &buffer, context) }
            }
        }
    }
}
