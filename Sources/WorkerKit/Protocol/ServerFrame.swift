package import JobModel

// What the server sends to a worker: frames on a stream, four bytes with the length of what follows, one byte for the kind, then
// the fields, little-endian.

/// What one job of a chunk may use, as far as the worker has to see to it.
package struct ChunkLimits: Hashable, Sendable {
    /// Seconds of each job; nil: none. The server enforces it; the handler may ask for what is left of it.
    package var timeout: Double?
    /// Processor time of each job in seconds; nil: none.
    package var cpuSeconds: Double?
    /// Descriptors that the process may have open; nil: as many as it may anyway.
    package var openFiles: Int?
    package var maximumResultBytes: Int

    package init(timeout: Double? = nil, cpuSeconds: Double? = nil, openFiles: Int? = nil, maximumResultBytes: Int) {
        self.timeout = timeout
        self.cpuSeconds = cpuSeconds
        self.openFiles = openFiles
        self.maximumResultBytes = maximumResultBytes
    }
}

/// From the server to a worker.
package enum ServerFrame {
    /// Run these jobs.
    case chunk(ReceivedChunk)
    /// What a batch gives to all of its jobs. It comes before the first chunk that needs it; a worker keeps the last
    /// `sharedValuesKept` of them.
    case shared(SharedValue)

    /// Shared values that a worker keeps. The server remembers which, by the same rule, and sends again what fell out.
    package static let sharedValuesKept = 4

    /// What a worker accepts from the server it trusts; a larger length can only be an accident.
    static let limit = 1 << 31 - 1

    package static func encode(_ chunk: Chunk, _ limits: ChunkLimits) -> [UInt8] {
        let size = chunk.parts.reduce(128 + chunk.handler.utf8.count) { $0 + 128 + $1.input.count }
        var writer = ByteWriter(reserving: size)
        writer.put(UInt32(0))
        writer.put(UInt8(1))
        writer.put(chunk.id)
        writer.put(text: chunk.handler)
        writer.put(limits.timeout ?? 0)
        writer.put(limits.cpuSeconds ?? 0)
        writer.put(UInt32(clamping: limits.openFiles ?? 0))
        writer.put(UInt64(limits.maximumResultBytes))
        writer.put(UInt32(chunk.parts.count))
        for part in chunk.parts {
            writer.put(part.batch.ulid.high)
            writer.put(part.batch.ulid.low)
            writer.put(UInt64(part.first))
            writer.put(UInt32(part.count))
            writer.put(UInt32(part.attempt))
            writer.put(text: part.traceparent ?? "")
            writer.put(UInt32(part.input.count))
            writer.put(bytes: part.input)
        }
        writer.overwrite(UInt32(writer.bytes.count - 4), at: 0)
        return writer.bytes
    }

    package static func encode(_ shared: SharedValue) -> [UInt8] {
        var writer = ByteWriter(reserving: 32 + shared.bytes.count)
        writer.put(UInt32(17 + shared.bytes.count))
        writer.put(UInt8(2))
        writer.put(shared.batch.ulid.high)
        writer.put(shared.batch.ulid.low)
        writer.put(bytes: shared.bytes)
        return writer.bytes
    }

    /// - Parameter frame: without the length. The inputs of a chunk's parts stay where they are in it.
    init(decoding frame: UnsafeRawBufferPointer) throws(ProtocolViolation) {
        var reader = ByteReader(frame)
        switch try reader.take(UInt8.self) {
        case 1:
            self = .chunk(try ReceivedChunk(&reader))
        case 2:
            let batch = BatchID(ULID(high: try reader.take(UInt64.self), low: try reader.take(UInt64.self)))
            self = .shared(SharedValue(batch: batch, bytes: Array(reader.takeRest())))
        case let kind:
            throw ProtocolViolation("a frame of the unknown kind \(kind)")
        }
    }
}

/// A chunk as a worker gets it, its input still in the receiver's buffer.
package struct ReceivedChunk {
    struct Part {
        let batch: BatchID
        let first: Int
        let count: Int
        let attempt: Int
        let traceparent: String?
        let input: UnsafeRawBufferPointer
    }

    let id: UInt64
    let handler: String
    let limits: ChunkLimits
    let parts: [Part]

    init(_ reader: inout ByteReader) throws(ProtocolViolation) {
        let limit = ServerFrame.limit
        id = try reader.take(UInt64.self)
        handler = try reader.text(limit: limit)
        let timeout = try reader.duration()
        let cpuSeconds = try reader.duration()
        let openFiles = try reader.count(limit: limit)
        limits = ChunkLimits(
            timeout: timeout > 0 ? timeout : nil, cpuSeconds: cpuSeconds > 0 ? cpuSeconds : nil,
            openFiles: openFiles > 0 ? openFiles : nil,
            maximumResultBytes: Int(clamping: try reader.take(UInt64.self)))
        var parts: [Part] = []
        for _ in 0..<(try reader.count(limit: limit)) {
            let batch = BatchID(ULID(high: try reader.take(UInt64.self), low: try reader.take(UInt64.self)))
            let first = Int(clamping: try reader.take(UInt64.self))
            let count = try reader.count(limit: limit)
            let attempt = try reader.count(limit: limit)
            let traceparent = try reader.text(limit: limit)
            let input = try reader.take(try reader.count(limit: limit))
            parts.append(
                Part(
                    batch: batch, first: first, count: count, attempt: attempt,
                    traceparent: traceparent.isEmpty ? nil : traceparent, input: input))
        }
        self.parts = parts
        try reader.expectEnd()
    }
}
