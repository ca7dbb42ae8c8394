import JobModel
import Platform
import Testing

@testable import WorkerKit

@Suite struct FramesTests {
    private let chunk = Chunk(
        id: 12, handler: "square", timeout: 3,
        parts: [
            .init(
                batch: BatchID(ULID(high: 1, low: 2)), first: 100, count: 2, attempt: 1, traceparent: "00-ab-cd-01",
                input: Array("1,2".utf8)),
            .init(batch: BatchID(ULID(high: 3, low: 4)), first: 0, count: 1, attempt: 5, input: Array("null".utf8)),
        ])

    /// A frame without its length, which is checked.
    private func content(_ frame: [UInt8]) -> [UInt8] {
        let length = frame.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(frame.count == 4 + length)
        return Array(frame.dropFirst(4))
    }

    @Test(arguments: [
        ChunkLimits(maximumResultBytes: 1 << 33),
        ChunkLimits(timeout: 0.25, cpuSeconds: 1.5, openFiles: 64, maximumResultBytes: 0),
    ]) func chunksSurviveTheirCoding(limits: ChunkLimits) throws {
        try content(ServerFrame.encode(chunk, limits)).withUnsafeBytes { raw in
            guard case .chunk(let received) = try ServerFrame(decoding: raw) else {
                Issue.record("no chunk")
                return
            }
            #expect(received.id == 12)
            #expect(received.handler == "square")
            #expect(received.limits == limits)
            let parts = received.parts
            #expect(parts.map(\.batch) == chunk.parts.map(\.batch))
            #expect(parts.map(\.first) == [100, 0])
            #expect(parts.map(\.count) == [2, 1])
            #expect(parts.map(\.attempt) == [1, 5])
            #expect(parts.map(\.traceparent) == ["00-ab-cd-01", nil])
            #expect(parts.map { Array($0.input) } == chunk.parts.map(\.input))
        }
    }

    @Test func sharedValuesSurviveTheirCoding() throws {
        let shared = SharedValue(batch: BatchID(ULID(high: 1, low: 2)), bytes: Array("{\"a\":1}".utf8))
        let bytes = content(ServerFrame.encode(shared))
        try bytes.withUnsafeBytes { raw in
            guard case .shared(shared) = try ServerFrame(decoding: raw) else {
                Issue.record("another value")
                return
            }
        }
        for count in 0..<17 {
            #expect(throws: ProtocolViolation.self) {
                try bytes[..<count].withUnsafeBytes { raw in _ = try ServerFrame(decoding: raw) }
            }
        }
    }

    @Test func chunksThatAreCutAreRefused() {
        let bytes = content(ServerFrame.encode(chunk, ChunkLimits(maximumResultBytes: 9)))
        for count in 0..<bytes.count {
            #expect(throws: ProtocolViolation.self) {
                try bytes[..<count].withUnsafeBytes { raw in _ = try ServerFrame(decoding: raw) }
            }
        }
        for seconds in [-1, .nan, .infinity] {
            let wrong = content(ServerFrame.encode(chunk, ChunkLimits(timeout: seconds, maximumResultBytes: 9)))
            #expect(throws: ProtocolViolation.self) {
                try wrong.withUnsafeBytes { raw in _ = try ServerFrame(decoding: raw) }
            }
        }
    }

    private static let frames: [(bytes: [UInt8], frame: WorkerFrame)] = [
        (WorkerFrame.done(chunk: 1, busySeconds: 0.5), .done(chunk: 1, busySeconds: 0.5)),
        (
            WorkerFrame.progress(chunk: 1, position: 2, JobProgress(fraction: 0.25, message: "ä")),
            .progress(chunk: 1, position: 2, JobProgress(fraction: 0.25, message: "ä"))
        ),
        (
            WorkerFrame.progress(chunk: 1, position: 2, JobProgress()),
            .progress(chunk: 1, position: 2, JobProgress())
        ),
        (
            WorkerFrame.logged(chunk: 1, position: 2, level: .warning, text: "so"),
            .logged(chunk: 1, position: 2, level: .warning, text: "so")
        ),
        (
            WorkerFrame.counted(chunk: 1, position: 2, sequence: 3, [CounterDelta(name: "a.b", amount: -4)]),
            .counted(chunk: 1, position: 2, sequence: 3, [CounterDelta(name: "a.b", amount: -4)])
        ),
        (WorkerFrame.dropped(chunk: 1, position: 2, count: 70_000), .dropped(chunk: 1, position: 2, count: 70_000)),
        (WorkerFrame.ready(), .ready),
        (WorkerFrame.setupFailed(reason: "no"), .setupFailed(reason: "no")),
    ]

    private func decode(_ bytes: [UInt8]) throws -> WorkerFrame {
        try bytes.withUnsafeBytes { try WorkerFrame(decoding: $0) }
    }

    @Test func framesSurviveTheirCoding() throws {
        for (bytes, frame) in FramesTests.frames { #expect(try decode(content(bytes)) == frame) }
    }

    @Test func framesThatAreCutOrTooLongAreRefused() {
        for (bytes, _) in FramesTests.frames {
            let bytes = content(bytes)
            for count in 0..<bytes.count {
                #expect(throws: ProtocolViolation.self) { try decode(Array(bytes[..<count])) }
            }
            #expect(throws: ProtocolViolation.self) { try decode(bytes + [0]) }
        }
        for kind in [0] + Array(UInt8(9)...255) {
            #expect(throws: ProtocolViolation.self) { try decode([kind]) }
        }
    }

    @Test func absurdValuesAreRefused() {
        let place = [UInt8](repeating: 1, count: 16)
        func bits(_ value: Double) -> [UInt8] { withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        func text(_ value: String) -> [UInt8] {
            withUnsafeBytes(of: UInt32(value.utf8.count).littleEndian) { Array($0) } + Array(value.utf8)
        }
        let sequence = [UInt8](repeating: 0, count: 8)
        let entry = text("a") + sequence
        let hostile: [[UInt8]] = [
            // A duration, a progress that cannot be.
            [2] + place.prefix(8) + bits(.nan), [2] + place.prefix(8) + bits(-1),
            [3] + place + bits(1.5) + text(""), [3] + place + bits(-.infinity) + text(""),
            // A message, a line, a reason over their limits, or no text at all.
            [3] + place + bits(0) + text(String(repeating: "a", count: 1025)),
            [3] + place + bits(0) + [1, 0, 0, 0, 0xFF],
            [4] + place + [1] + text(String(repeating: "a", count: 4097)), [4] + place + [4] + text("a"),
            [7] + text(String(repeating: "a", count: 2049)),
            // Counters: too many, with names that are too long or no names.
            [5] + place + sequence + [0xFF, 0xFF, 0xFF, 0xFF] + entry,
            [5] + place + sequence + [65, 0, 0, 0] + (0..<65).flatMap { _ in entry },
            [5] + place + sequence + [1, 0, 0, 0] + text("") + sequence,
            [5] + place + sequence + [1, 0, 0, 0] + text("a b") + sequence,
            [5] + place + sequence + [1, 0, 0, 0] + text(String(repeating: "a", count: 56)) + sequence,
        ]
        for bytes in hostile { #expect(throws: ProtocolViolation.self, "\(bytes.prefix(40))") { try decode(bytes) } }
    }

    @Test func whatIsTooMuchIsCut() throws {
        let long = String(repeating: "ä", count: 5000)
        #expect(
            try decode(content(WorkerFrame.progress(chunk: 1, position: 2, JobProgress(fraction: 7, message: long))))
                == .progress(
                    chunk: 1, position: 2, JobProgress(fraction: 1, message: String(repeating: "ä", count: 512))))
        #expect(
            try decode(content(WorkerFrame.logged(chunk: 1, position: 2, level: .error, text: long)))
                == .logged(chunk: 1, position: 2, level: .error, text: String(repeating: "ä", count: 2048)))
        #expect(
            try decode(content(WorkerFrame.dropped(chunk: 1, position: 2, count: .max)))
                == .dropped(chunk: 1, position: 2, count: Int(UInt32.max)))
        #expect(
            try decode(content(WorkerFrame.setupFailed(reason: long)))
                == .setupFailed(reason: String(repeating: "ä", count: 1024)))
    }
}
