import Glibc
import JobModel
import Platform
import Testing

@testable import WorkerKit

/// The server's end of one worker: what the worker sends, and its page.
final class TestServer: @unchecked Sendable {
    // One test's thread uses it.
    let socket: Descriptor
    let page: SharedPage
    private var inbox = FrameBuffer(limit: WorkerFrame.limit(maximumResultBytes: 8 << 20))
    private(set) var frames: [WorkerFrame] = []
    private(set) var isOver = false

    static let batch = BatchID(ULID(high: 7, low: 8))

    init(socket: consuming Descriptor, page: consuming SharedPage) {
        limitWait(socket.rawValue)
        self.socket = socket
        self.page = page
    }

    func send(_ frame: [UInt8]) throws {
        try frame.withUnsafeBytes { try SocketTransfer.sendAll(socket.rawValue, $0) }
    }

    func run(
        _ id: UInt64, _ handler: String, _ payloads: [String],
        _ limits: ChunkLimits = ChunkLimits(maximumResultBytes: 1 << 20), attempt: Int = 1, traceparent: String? = nil
    ) throws {
        let part = Chunk.Part(
            batch: TestServer.batch, first: 10, count: payloads.count, attempt: attempt, traceparent: traceparent,
            input: Array(payloads.joined(separator: ",").utf8))
        try send(ServerFrame.encode(Chunk(id: id, handler: handler, timeout: nil, parts: [part]), limits))
    }

    /// Waits for a frame that fits, among all that have come and will come; nil if the worker's end comes first.
    func wait(for condition: (WorkerFrame) -> Bool) throws -> WorkerFrame? {
        while true {
            if let frame = frames.first(where: condition) { return frame }
            if isOver { return nil }
            switch try inbox.fill(from: socket.rawValue) {
            case .bytes: break
            case .end: isOver = true
            case .nothing:
                Issue.record("waited in vain for the worker")
                isOver = true
            }
            while let frame = try inbox.next(WorkerFrame.init(decoding:)) { frames.append(frame) }
        }
    }

    func waitForEnd() throws { while try wait(for: { _ in false }) != nil {} }

    /// Waits for the end of a chunk; false if the worker's end comes first.
    @discardableResult
    func waitForDone(_ id: UInt64) throws -> Bool {
        try wait { if case .done(id, _) = $0 { true } else { false } } != nil
    }

    /// Texts of results, or messages of failures with a mark before them, in order, of a chunk.
    func outcomes(of id: UInt64) -> [String] {
        frames.flatMap { frame -> [String] in
            guard case .outcomes(id, _, let runs) = frame else { return [] }
            return runs.map { run in
                switch run {
                case .succeeded(_, let body): String(decoding: body, as: UTF8.self)
                case .failed(let failure): "!" + failure.message
                }
            }
        }
    }

    /// The runs of results of one chunk, and nothing else.
    func results(_ id: UInt64, _ handler: String, _ payloads: [String]) throws -> [String] {
        try run(id, handler, payloads)
        try #require(try waitForDone(id))
        return outcomes(of: id)
    }
}

/// Who waits for a socket gives up at last.
func limitWait(_ socket: Int32) {
    var time = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
}
