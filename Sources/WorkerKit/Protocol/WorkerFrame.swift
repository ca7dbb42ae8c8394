package import JobModel

// What a worker sends to the server: frames on a stream, four bytes with the length of what follows, one byte for the kind, then
// the fields, little-endian. Outcomes have the form that `RunCoding` describes.

/// From a worker to the server.
package enum WorkerFrame: Equatable, Sendable {
    /// Jobs from `position` on are done.
    case outcomes(chunk: UInt64, position: Int, runs: [ChunkRun])
    /// All of the chunk's jobs are done and were sent.
    case done(chunk: UInt64, busySeconds: Double)
    /// How far the job at `position` is. This, `logged` and `dropped` may come late: after the job's outcome, though not after
    /// the chunk's end.
    case progress(chunk: UInt64, position: Int, JobProgress)
    /// A line that the job at `position` logged.
    case logged(chunk: UInt64, position: Int, level: LogLine.Source, text: String)
    /// What was added to the counters of the batch that the job at `position` belongs to. The same additions stand on the
    /// page, with the same number, until this was sent.
    case counted(chunk: UInt64, position: Int, sequence: UInt64, [CounterDelta])
    /// What a worker does once is done: it can run chunks.
    case ready
    /// What a worker does once has failed; it exits.
    case setupFailed(reason: String)
    /// So many lines that the job at `position` logged were beyond the worker's rate and not sent.
    case dropped(chunk: UInt64, position: Int, count: Int)

    private enum Kind: UInt8 {
        case outcomes = 1
        case done, progress, logged, counted, ready, setupFailed, dropped
    }

    /// The levels that a worker may send, in the order of their numbers.
    private static let levels: [LogLine.Source] = [.debug, .info, .warning, .error]
    private static let reasonLimit = 2048

    /// The longest frame that a worker may send, without its length.
    package static func limit(maximumResultBytes: Int) -> Int {
        17 + max(SharedPage.regionSize, RunCoding.headerSize + maximumResultBytes)
    }

    // MARK: Encoding

    /// The bytes of an outcomes frame before its runs.
    static func outcomesHeader(chunk: UInt64, position: Int, runBytes: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt32(17 + runBytes))
        writer.put(Kind.outcomes.rawValue)
        writer.put(chunk)
        writer.put(UInt64(position))
        return writer.bytes
    }

    static func done(chunk: UInt64, busySeconds: Double) -> [UInt8] {
        framed(.done) { writer in
            writer.put(chunk)
            writer.put(busySeconds)
        }
    }

    /// What is too long loses its end, and a fraction outside of 0 to 1 is moved there.
    static func progress(chunk: UInt64, position: Int, _ progress: JobProgress) -> [UInt8] {
        framed(.progress) { writer in
            writer.put(chunk)
            writer.put(UInt64(position))
            writer.put(progress.fraction.map { min(1, max(0, $0)) } ?? .nan)
            writer.put(text: clipped(progress.message ?? "", toBytes: JobProgress.messageLimit))
        }
    }

    /// What is too long loses its end.
    static func logged(chunk: UInt64, position: Int, level: LogLine.Source, text: String) -> [UInt8] {
        framed(.logged) { writer in
            writer.put(chunk)
            writer.put(UInt64(position))
            writer.put(UInt8(levels.firstIndex(of: level) ?? 0))
            writer.put(text: clipped(text, toBytes: LogLine.textLimit))
        }
    }

    static func dropped(chunk: UInt64, position: Int, count: Int) -> [UInt8] {
        framed(.dropped) { writer in
            writer.put(chunk)
            writer.put(UInt64(position))
            writer.put(UInt32(clamping: count))
        }
    }

    static func counted(chunk: UInt64, position: Int, sequence: UInt64, _ deltas: [CounterDelta]) -> [UInt8] {
        framed(.counted) { writer in
            writer.put(chunk)
            writer.put(UInt64(position))
            writer.put(sequence)
            writer.put(UInt32(deltas.count))
            for delta in deltas {
                writer.put(text: delta.name)
                writer.put(delta.amount)
            }
        }
    }

    static func ready() -> [UInt8] { framed(.ready) { _ in } }

    /// What is too long loses its end.
    static func setupFailed(reason: String) -> [UInt8] {
        framed(.setupFailed) { writer in writer.put(text: clipped(reason, toBytes: reasonLimit)) }
    }

    private static func framed(_ kind: Kind, _ body: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt32(0))
        writer.put(kind.rawValue)
        body(&writer)
        writer.overwrite(UInt32(writer.bytes.count - 4), at: 0)
        return writer.bytes
    }

    // MARK: Decoding

    /// - Parameter frame: without the length.
    package init(decoding frame: UnsafeRawBufferPointer) throws(ProtocolViolation) {
        try self.init(decoding: frame, certify: { $0.certificate })
    }

    /// - Parameter certify: makes the certificates of failures complete.
    package init(
        decoding frame: UnsafeRawBufferPointer, certify: FailureEvidence.Certifier
    ) throws(ProtocolViolation) {
        var reader = ByteReader(frame)
        let number = try reader.take(UInt8.self)
        guard let kind = Kind(rawValue: number) else {
            throw ProtocolViolation("a frame of the unknown kind \(number)")
        }
        self = try WorkerFrame.decode(kind, &reader, certify)
        try reader.expectEnd()
    }

    private static func decode(
        _ kind: Kind, _ reader: inout ByteReader, _ certify: FailureEvidence.Certifier
    ) throws(ProtocolViolation) -> WorkerFrame {
        switch kind {
        case .outcomes:
            let (chunk, position) = try place(&reader)
            return .outcomes(chunk: chunk, position: position, runs: try RunCoding.decode(&reader, certify: certify))
        case .done:
            return .done(chunk: try reader.take(UInt64.self), busySeconds: try reader.duration())
        case .progress:
            let (chunk, position) = try place(&reader)
            return .progress(chunk: chunk, position: position, try progress(&reader))
        case .logged:
            let (chunk, position) = try place(&reader)
            let level = Int(try reader.take(UInt8.self))
            guard levels.indices.contains(level) else {
                throw ProtocolViolation("a line of the unknown level \(level)")
            }
            return .logged(
                chunk: chunk, position: position, level: levels[level],
                text: try reader.text(limit: LogLine.textLimit))
        case .counted:
            let (chunk, position) = try place(&reader)
            let sequence = try reader.take(UInt64.self)
            return .counted(chunk: chunk, position: position, sequence: sequence, try deltas(&reader))
        case .ready:
            return .ready
        case .setupFailed:
            return .setupFailed(reason: try reader.text(limit: reasonLimit))
        case .dropped:
            let (chunk, position) = try place(&reader)
            return .dropped(chunk: chunk, position: position, count: Int(try reader.take(UInt32.self)))
        }
    }

    private static func place(_ reader: inout ByteReader) throws(ProtocolViolation) -> (chunk: UInt64, position: Int) {
        (try reader.take(UInt64.self), Int(clamping: try reader.take(UInt64.self)))
    }

    private static func progress(_ reader: inout ByteReader) throws(ProtocolViolation) -> JobProgress {
        let fraction = try reader.double()
        guard fraction.isNaN || (0...1).contains(fraction) else { throw ProtocolViolation("a progress of \(fraction)") }
        let message = try reader.text(limit: JobProgress.messageLimit)
        return JobProgress(fraction: fraction.isNaN ? nil : fraction, message: message.isEmpty ? nil : message)
    }

    private static func deltas(_ reader: inout ByteReader) throws(ProtocolViolation) -> [CounterDelta] {
        var deltas: [CounterDelta] = []
        for _ in 0..<(try reader.count(limit: PageCounters.capacity)) {
            let name = try reader.text(limit: CounterDelta.nameLimit)
            guard CounterDelta.isValid(name: name) else { throw ProtocolViolation("a counter with a bad name") }
            deltas.append(CounterDelta(name: name, amount: try reader.take(Int64.self)))
        }
        return deltas
    }
}
