import JSONBytes
import JobModel
import Platform

/// Runs chunks, one at a time, until the server closes the socket.
struct WorkerLoop: ~Copyable {
    private let handlers: [String: Handler]
    private let socket: Int32
    private var outcomes: OutcomeWriter
    private var inbox = FrameBuffer(limit: ChunkFrame.limit)
    private var result = ResultBuffer()

    /// - Parameter socket: a blocking stream socket, open as long as this lives.
    init(handlers: [Handler], socket: Int32, page: consuming SharedPage, maximumResultBytes: Int) {
        self.handlers = Dictionary(handlers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.socket = socket
        outcomes = OutcomeWriter(page: page, socket: socket, maximumResultBytes: maximumResultBytes)
    }

    /// Returns when the server has closed the socket; throws when it is gone in the middle of something.
    mutating func run() throws {
        while true {
            guard case .bytes = try inbox.fill(from: socket) else { return }
            while let chunk = try nextChunk() { try run(chunk) }
        }
    }

    private mutating func nextChunk() throws(ProtocolViolation) -> ReceivedChunk? {
        try inbox.next { (frame) throws(ProtocolViolation) in
            let (id, handler, parts) = try ChunkFrame.decode(frame)
            // The frame stays where it is until the next `fill`, which comes after this chunk.
            return ReceivedChunk(id: id, handler: handler, parts: parts)
        }
    }

    private struct ReceivedChunk {
        let id: UInt64
        let handler: String
        let parts: [ChunkFrame.Part]
    }

    private mutating func run(_ chunk: ReceivedChunk) throws {
        let begin = MonotonicTime.now()
        let handler = handlers[chunk.handler] ?? .unknown(chunk.handler)
        outcomes.begin(chunk: chunk.id)
        for part in chunk.parts {
            var index = part.first
            try CommaSeparated.forEach(in: part.input) { payload in
                outcomes.start()
                let context = JobContext(batch: part.batch, index: index, attempt: part.attempt)
                if let failure = handler.run(payload, into: &result, context) {
                    try outcomes.failed(failure)
                } else {
                    try outcomes.succeeded(result.text)
                }
                index += 1
                return true
            }
            guard index - part.first == part.count else {
                throw ProtocolViolation("a part of \(part.count) jobs has \(index - part.first) payloads")
            }
            outcomes.endPart()
        }
        try outcomes.end(busySeconds: (.now() - begin).seconds)
    }
}
