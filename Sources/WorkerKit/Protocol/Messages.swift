package import JobModel
package import Platform

// Everything that the server, the zygote and the workers say to each other.
//
// Server and zygote exchange messages on a SOCK_SEQPACKET socket: one byte for the kind, then the fields.
// Server and worker exchange frames on a stream: four bytes with the length of what follows, one byte for the kind, then the
// fields. All numbers are little-endian. A chunk's outcomes have the form that `RunCoding` describes.

/// From the server to the zygote.
package enum ZygoteRequest: Equatable, Sendable {
    /// Fork a worker. Attached: the worker's end of its socket and the memory file of its page.
    case fork(worker: UInt32, maximumResultBytes: Int)

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .fork(let worker, let maximumResultBytes):
            writer.put(UInt8(1))
            writer.put(worker)
            writer.put(UInt64(maximumResultBytes))
        }
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(ProtocolViolation) {
        self = try decode(bytes) { (reader) throws(ProtocolViolation) in
            let kind = try reader.take(UInt8.self)
            guard kind == 1 else { throw ProtocolViolation("a request of the unknown kind \(kind)") }
            return .fork(
                worker: try reader.take(UInt32.self),
                maximumResultBytes: Int(clamping: try reader.take(UInt64.self)))
        }
    }
}

/// From the zygote to the server.
package enum ZygoteReport: Equatable, Sendable {
    /// The handlers are prepared: workers can be forked.
    case ready
    /// They cannot be prepared; the zygote exits.
    case preparationFailed(reason: String)
    case forked(worker: UInt32, processID: Int32)
    case forkFailed(worker: UInt32, reason: String)
    /// A worker has ended and is reaped.
    case exited(ProcessExit)

    /// Bytes that a report may have.
    package static let maximumSize = 4096

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .ready:
            writer.put(UInt8(1))
        case .preparationFailed(let reason):
            writer.put(UInt8(2))
            writer.put(text: clipped(reason, toBytes: 2048))
        case .forked(let worker, let processID):
            writer.put(UInt8(3))
            writer.put(worker)
            writer.put(processID)
        case .forkFailed(let worker, let reason):
            writer.put(UInt8(4))
            writer.put(worker)
            writer.put(text: clipped(reason, toBytes: 2048))
        case .exited(let exit):
            writer.put(UInt8(5))
            writer.put(exit.processID)
            writer.put(exit.exitCode ?? -1)
            writer.put(exit.signal ?? 0)
            writer.put(exit.cpuSeconds)
            writer.put(exit.peakResidentBytes)
        }
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(ProtocolViolation) {
        self = try decode(bytes) { (reader) throws(ProtocolViolation) in
            switch try reader.take(UInt8.self) {
            case 1: return .ready
            case 2: return .preparationFailed(reason: try reader.text(limit: 2048))
            case 3:
                return .forked(worker: try reader.take(UInt32.self), processID: try ZygoteReport.processID(&reader))
            case 4: return .forkFailed(worker: try reader.take(UInt32.self), reason: try reader.text(limit: 2048))
            case 5:
                let processID = try ZygoteReport.processID(&reader)
                let exitCode = try reader.take(Int32.self)
                let signal = try reader.take(Int32.self)
                return .exited(
                    ProcessExit(
                        processID: processID,
                        exitCode: exitCode >= 0 ? exitCode : nil,
                        signal: signal > 0 ? signal : nil,
                        cpuSeconds: try reader.double(),
                        peakResidentBytes: try reader.take(Int64.self)))
            case let kind: throw ProtocolViolation("a report of the unknown kind \(kind)")
            }
        }
    }

    /// Signals are sent to it: 0, 1 and negative numbers would mean somebody else.
    private static func processID(_ reader: inout ByteReader) throws(ProtocolViolation) -> Int32 {
        let number = try reader.take(Int32.self)
        guard number > 1 else { throw ProtocolViolation("\(number) is no process") }
        return number
    }
}

/// From the server to a worker: run this chunk.
package enum ChunkFrame {
    /// One of the chunk's parts, its input still in the receiver's buffer.
    struct Part {
        let batch: BatchID
        let first: Int
        let count: Int
        let attempt: Int
        let input: UnsafeRawBufferPointer
    }

    /// What a worker accepts from the server it trusts; a larger length can only be an accident.
    static let limit = 1 << 31 - 1

    package static func encode(_ chunk: Chunk) -> [UInt8] {
        let size = chunk.parts.reduce(64 + chunk.handler.utf8.count) { $0 + 64 + $1.input.count }
        var writer = ByteWriter(reserving: size)
        writer.put(UInt32(0))
        writer.put(UInt8(1))
        writer.put(chunk.id)
        writer.put(text: chunk.handler)
        writer.put(UInt32(chunk.parts.count))
        for part in chunk.parts {
            writer.put(part.batch.ulid.high)
            writer.put(part.batch.ulid.low)
            writer.put(UInt64(part.first))
            writer.put(UInt32(part.count))
            writer.put(UInt32(part.attempt))
            writer.put(UInt32(part.input.count))
            writer.put(bytes: part.input)
        }
        writer.overwrite(UInt32(writer.bytes.count - 4), at: 0)
        return writer.bytes
    }

    /// - Parameter frame: without the length.
    static func decode(
        _ frame: UnsafeRawBufferPointer
    ) throws(ProtocolViolation) -> (id: UInt64, handler: String, parts: [Part]) {
        var reader = ByteReader(frame)
        let kind = try reader.take(UInt8.self)
        guard kind == 1 else { throw ProtocolViolation("a frame of the unknown kind \(kind)") }
        let id = try reader.take(UInt64.self)
        let handler = try reader.text(limit: limit)
        let count = try reader.count(limit: limit)
        var parts: [Part] = []
        for _ in 0..<count {
            let batch = BatchID(ULID(high: try reader.take(UInt64.self), low: try reader.take(UInt64.self)))
            let first = Int(clamping: try reader.take(UInt64.self))
            let count = try reader.count(limit: limit)
            let attempt = try reader.count(limit: limit)
            let input = try reader.take(try reader.count(limit: limit))
            parts.append(Part(batch: batch, first: first, count: count, attempt: attempt, input: input))
        }
        try reader.expectEnd()
        return (id, handler, parts)
    }
}

/// From a worker to the server.
package enum WorkerFrame: Sendable {
    /// Jobs from `position` on are done.
    case outcomes(chunk: UInt64, position: Int, runs: [ChunkRun])
    /// All of the chunk's jobs are done and were sent.
    case done(chunk: UInt64, busySeconds: Double)

    /// The bytes of an outcomes frame before its runs.
    static func outcomesHeader(chunk: UInt64, position: Int, runBytes: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt32(17 + runBytes))
        writer.put(UInt8(1))
        writer.put(chunk)
        writer.put(UInt64(position))
        return writer.bytes
    }

    static func done(chunk: UInt64, busySeconds: Double) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt32(17))
        writer.put(UInt8(2))
        writer.put(chunk)
        writer.put(busySeconds)
        return writer.bytes
    }

    /// The longest frame that a worker may send, without its length.
    package static func limit(maximumResultBytes: Int) -> Int {
        17 + max(SharedPage.regionSize, RunCoding.headerSize + maximumResultBytes)
    }

    /// - Parameter frame: without the length.
    package init(decoding frame: UnsafeRawBufferPointer) throws(ProtocolViolation) {
        var reader = ByteReader(frame)
        switch try reader.take(UInt8.self) {
        case 1:
            let chunk = try reader.take(UInt64.self)
            let position = Int(clamping: try reader.take(UInt64.self))
            self = .outcomes(chunk: chunk, position: position, runs: try RunCoding.decode(&reader))
        case 2:
            let chunk = try reader.take(UInt64.self)
            let busy = try reader.double()
            try reader.expectEnd()
            guard busy.isFinite, busy >= 0 else { throw ProtocolViolation("a duration of \(busy)") }
            self = .done(chunk: chunk, busySeconds: busy)
        case let kind:
            throw ProtocolViolation("a frame of the unknown kind \(kind)")
        }
    }
}

/// Decodes all of a message.
private func decode<Result>(
    _ bytes: [UInt8], _ body: (inout ByteReader) throws(ProtocolViolation) -> Result
) throws(ProtocolViolation) -> Result {
    try bytes.span.withUnsafeBytes { (raw) throws(ProtocolViolation) in
        var reader = ByteReader(raw)
        let result = try body(&reader)
        try reader.expectEnd()
        return result
    }
}

/// The longest beginning of whole characters that takes at most so many bytes.
func clipped(_ text: String, toBytes limit: Int) -> String {
    if text.utf8.count <= limit { return text }
    var end = text.utf8.index(text.utf8.startIndex, offsetBy: limit)
    while end.samePosition(in: text) == nil { end = text.utf8.index(before: end) }
    return String(text[..<end])
}
