import Foundation
import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

/// A worker of the runner as its server sees it.
final class TestWorker {
    static let batch = BatchID(ULID(high: 1, low: 2))

    let process: Int32
    private let socket: Descriptor
    let page: SharedPage
    private let output: Int32
    private let errors: Int32
    private var inbox = FrameBuffer(limit: 1 << 30)
    private var chunks: UInt64 = 0

    init(process: Int32, socket: consuming Descriptor, page: consuming SharedPage, output: Int32, errors: Int32) {
        self.process = process
        self.socket = socket
        self.page = page
        self.output = output
        self.errors = errors
    }

    deinit {
        close(output)
        close(errors)
    }

    /// The next frame; nil when the worker has closed the socket.
    func frame() throws -> WorkerFrame? {
        while true {
            if let frame = try inbox.next(WorkerFrame.init(decoding:)) { return frame }
            switch try inbox.fill(from: socket.rawValue) {
            case .bytes: continue
            case .end: return nil
            case .nothing: throw Silence()
            }
        }
    }

    static func part(_ payloads: [String], batch: BatchID = batch, first: Int = 0) -> Chunk.Part {
        Chunk.Part(
            batch: batch, first: first, count: payloads.count, attempt: 2, traceparent: "00-1-2-01",
            input: Array(payloads.joined(separator: ",").utf8))
    }

    /// - Returns: the chunk's number.
    @discardableResult
    func send(_ handler: String, _ parts: [Chunk.Part], limits: ChunkLimits = unlimited) throws -> UInt64 {
        chunks += 1
        let chunk = Chunk(id: chunks, handler: handler, timeout: nil, parts: parts)
        try send(ServerFrame.encode(chunk, limits))
        return chunks
    }

    func send(_ shared: SharedValue) throws { try send(ServerFrame.encode(shared)) }

    private func send(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try SocketTransfer.sendAll(socket.rawValue, $0) }
    }

    static let unlimited = ChunkLimits(maximumResultBytes: 64 << 20)

    /// What comes while a chunk runs.
    struct Course {
        var runs: [ChunkRun] = []
        var progress: [JobProgress] = []
        /// Level and text.
        var logged: [String] = []
        var counted: [CounterDelta] = []
        /// Whether the chunk's end came, and not the worker's.
        var isDone = false

        /// Results as the text of an array, and the failures.
        var results: String {
            let bodies = runs.compactMap { run in
                if case .succeeded(_, let body) = run { String(decoding: body, as: UTF8.self) } else { nil }
            }
            return "[" + bodies.joined(separator: ",") + "]"
        }
        var failures: [Failure] {
            runs.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }
        }
        var counters: [String: Int64] {
            Dictionary(counted.map { ($0.name, $0.amount) }, uniquingKeysWith: +)
        }
        var finished: Int { runs.reduce(0) { $0 + $1.count } }
    }

    func run(_ handler: String, _ payloads: [String], limits: ChunkLimits = unlimited) throws -> Course {
        try run(handler, [TestWorker.part(payloads)], limits: limits)
    }

    func run(_ handler: String, _ parts: [Chunk.Part], limits: ChunkLimits = unlimited) throws -> Course {
        let id = try send(handler, parts, limits: limits)
        return try course(of: id)
    }

    /// Follows a chunk to its end, or to the worker's.
    func course(of id: UInt64) throws -> Course {
        var course = Course()
        while let frame = try frame() {
            switch frame {
            case .outcomes(let chunk, let position, let runs):
                #expect(chunk == id && position == course.finished)
                course.runs += runs
            case .done(let chunk, _):
                #expect(chunk == id)
                course.isDone = true
                return course
            case .progress(let chunk, _, let progress):
                #expect(chunk == id)
                course.progress.append(progress)
            case .logged(let chunk, let position, let level, let text):
                #expect(chunk == id)
                course.logged.append("\(position) \(level): \(text)")
            case .counted(let chunk, _, _, let deltas):
                #expect(chunk == id)
                course.counted += deltas
            case .ready, .setupFailed, .dropped:
                throw Silence()
            }
        }
        return course
    }

    /// Tells the worker that no chunk follows.
    func hangUp() { shutdown(socket.rawValue, Int32(SHUT_RDWR)) }

    /// What was printed, when the worker is gone.
    var printed: String { TestWorker.read(output) }
    var complained: String { TestWorker.read(errors) }

    private static func read(_ end: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(end, &buffer, buffer.count)
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
