import JSONBytes
import JobModel
import Platform
import Synchronization

/// Runs chunks, one at a time, until the server closes the socket.
struct WorkerLoop: ~Copyable {
    private let handlers: [String: RunnableHandler]
    private let socket: Int32
    private let link: WorkerLink
    private var outcomes: OutcomeWriter
    private var inbox = FrameBuffer(limit: ServerFrame.limit)
    private var result = ResultBuffer()
    private var shared = SharedValues()
    private var limits = WorkerLimits()
    /// Jobs that were started.
    private var jobs: UInt64 = 0

    /// - Parameter socket: a blocking stream socket, open as long as this lives.
    init(handlers: [String: RunnableHandler], socket: Int32, link: WorkerLink) {
        self.handlers = handlers
        self.socket = socket
        self.link = link
        outcomes = OutcomeWriter(link)
    }

    /// Returns when the server has closed the socket, or a handler has ended by itself because its job was cancelled; throws
    /// when the server is gone in the middle of something.
    mutating func run() throws {
        while true {
            guard case .bytes = try inbox.fill(from: socket) else { return }
            while let frame = try nextFrame() {
                switch frame {
                case .shared(let value): shared.add(value)
                case .chunk(let chunk): if try run(chunk) == .stopped { return }
                }
            }
        }
    }

    private mutating func nextFrame() throws(ProtocolViolation) -> ServerFrame? {
        // A chunk's input stays where it is until the next `fill`, which comes after this chunk.
        try inbox.next(ServerFrame.init(decoding:))
    }

    private enum End {
        case completed
        /// The rest was not begun, as the server wants it back.
        case recalled
        case stopped
    }

    private mutating func run(_ chunk: ReceivedChunk) throws -> End {
        let begin = MonotonicTime.now()
        let handler = handlers[chunk.handler] ?? .unknown(chunk.handler)
        try limits.begin(chunk.limits)
        if handler.isCooperative { try TerminationRequest.catch(try link.wake()) }
        outcomes.begin(chunk: chunk.id, maximumResultBytes: chunk.limits.maximumResultBytes)
        var position = 0
        for part in chunk.parts {
            let jobPart = JobPart(
                batch: part.batch, first: part.first, attempt: part.attempt, traceparent: part.traceparent,
                timeout: chunk.limits.timeout.map { TimeSpan(seconds: $0) }, shared: shared[part.batch],
                chunk: chunk.id, position: position, number: jobs + 1, link: link)
            let end =
                switch handler.work {
                case .single(let runner): try run(part, runner, isCooperative: handler.isCooperative, jobPart)
                case .pipeline(let pipeline): try run(part, pipeline, jobPart)
                }
            if end == .stopped { return .stopped }
            position += part.count
            jobs += UInt64(part.count)
            try outcomes.endPart()
            if end == .recalled { break }
        }
        CurrentProcess.flushOutput()
        if handler.isCooperative {
            try TerminationRequest.release()
            // It came too late for the last job to see it.
            if TerminationRequest.isNoted { return try stop() }
        }
        try outcomes.end(busySeconds: (.now() - begin).seconds)
        return .completed
    }

    private mutating func run(
        _ part: ReceivedChunk.Part, _ runner: JobRunner, isCooperative: Bool, _ jobPart: JobPart
    ) throws -> End {
        var index = part.first
        var end = End.completed
        try CommaSeparated.forEach(in: part.input) { payload in
            if outcomes.isRecalled {
                end = .recalled
            } else {
                end = try run(payload, runner, isCooperative: isCooperative, JobReference(part: jobPart, index: index))
                index += 1
            }
            return end == .completed
        }
        if end == .stopped { return try stop() }
        if end == .completed { try check(index - part.first, part) }
        return end
    }

    private mutating func run(
        _ part: ReceivedChunk.Part, _ pipeline: any JobPipeline, _ jobPart: JobPart
    ) throws -> End {
        var index = part.first
        var end = End.completed
        try CommaSeparated.forEach(in: part.input) { payload in
            if outcomes.isRecalled {
                end = .recalled
                return false
            }
            let job = JobReference(part: jobPart, index: index)
            try limits.beginJob()
            outcomes.take(job)
            try pipeline.take(payload, JobContext(job, startedAt: outcomes.now), &outcomes)
            index += 1
            return true
        }
        try pipeline.finish(&outcomes)
        if end == .completed { try check(index - part.first, part) }
        return end
    }

    private func check(_ count: Int, _ part: ReceivedChunk.Part) throws(ProtocolViolation) {
        guard count == part.count else {
            throw ProtocolViolation("a part of \(part.count) jobs has \(count) payloads")
        }
    }

    private mutating func run(
        _ payload: UnsafeRawBufferPointer, _ runner: JobRunner, isCooperative: Bool, _ job: JobReference
    ) throws -> End {
        try limits.beginJob()
        outcomes.start()
        link.running.store(job.number, ordering: .releasing)
        var failure: (any Error)?
        do {
            try runner.run(payload, into: &result, JobContext(job, startedAt: outcomes.now))
        } catch {
            failure = error
        }
        link.running.store(0, ordering: .releasing)
        // The handler has forked, and this is the copy, which has come back, too: the job belongs to the original.
        if ForkedCopies.isCopy { CurrentProcess.exit(0) }
        try link.sendSigns()
        let isStopped = isCooperative && TerminationRequest.isNoted
        if failure == nil {
            try outcomes.succeeded(result.text)
        } else if let failure, !isStopped {
            // Of a job that was cancelled, a failure may only say that it was; it is not the job's own.
            try outcomes.failed(Failure(thrown: failure))
        }
        return isStopped ? .stopped : .completed
    }

    private mutating func stop() throws -> End {
        CurrentProcess.flushOutput()
        try outcomes.leave()
        return .stopped
    }
}

/// What the kernel enforces for the chunk that runs. Nothing is asked of it where the last chunk's limits were the same.
private struct WorkerLimits {
    private let usualOpenFiles = ResourceLimits.openFiles
    private var openFiles: Int?
    private var cpuSeconds: Double?

    mutating func begin(_ limits: ChunkLimits) throws(SystemError) {
        if limits.openFiles != openFiles, let count = limits.openFiles ?? usualOpenFiles {
            try ResourceLimits.limitOpenFiles(to: count)
        }
        openFiles = limits.openFiles
        if limits.cpuSeconds == nil && cpuSeconds != nil { try ResourceLimits.limitProcessorTime(toFurther: nil) }
        cpuSeconds = limits.cpuSeconds
    }

    func beginJob() throws(SystemError) {
        if let cpuSeconds { try ResourceLimits.limitProcessorTime(toFurther: cpuSeconds) }
    }
}
