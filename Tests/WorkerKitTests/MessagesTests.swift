import JobModel
import Platform
import Testing

@testable import WorkerKit

@Suite struct MessagesTests {
    private let reports: [ZygoteReport] = [
        .ready, .preparationFailed(reason: "no ä"), .forked(worker: 7, processID: 4711),
        .forkFailed(worker: 8, reason: ""),
        .exited(
            ProcessExit(processID: 5, exitCode: 3, signal: nil, cpuSeconds: 1.25, peakResidentBytes: 1 << 40)),
        .exited(ProcessExit(processID: 5, exitCode: nil, signal: 11)),
    ]

    @Test func reportsSurviveTheirCoding() throws {
        for report in reports { #expect(try ZygoteReport(decoding: report.encoded()) == report) }
        let request = ZygoteRequest.fork(worker: 9, maximumResultBytes: 1 << 33)
        #expect(try ZygoteRequest(decoding: request.encoded()) == request)
    }

    @Test func messagesThatAreCutOrTooLongAreRefused() {
        for bytes in reports.map({ $0.encoded() }) {
            for count in 0..<bytes.count {
                #expect(throws: ProtocolViolation.self) { try ZygoteReport(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: ProtocolViolation.self) { try ZygoteReport(decoding: bytes + [0]) }
        }
        for kind in UInt8(6)...255 {
            #expect(throws: ProtocolViolation.self) { try ZygoteReport(decoding: [kind]) }
        }
    }

    @Test(arguments: [0, 1, -5] as [Int32]) func processesThatMustNotBeSignalledAreRefused(number: Int32) {
        let report = ZygoteReport.forked(worker: 1, processID: number)
        #expect(throws: ProtocolViolation.self) { try ZygoteReport(decoding: report.encoded()) }
    }

    @Test func longReasonsLoseTheirEnd() throws {
        let report = ZygoteReport.forkFailed(worker: 1, reason: String(repeating: "ä", count: 5000))
        #expect(report.encoded().count <= ZygoteReport.maximumSize)
        #expect(
            try ZygoteReport(decoding: report.encoded())
                == .forkFailed(worker: 1, reason: String(repeating: "ä", count: 1024)))
    }

    private let chunk = Chunk(
        id: 12, handler: "square", timeout: 3,
        parts: [
            .init(batch: BatchID(ULID(high: 1, low: 2)), first: 100, count: 2, attempt: 1, input: Array("1,2".utf8)),
            .init(batch: BatchID(ULID(high: 3, low: 4)), first: 0, count: 1, attempt: 5, input: Array("null".utf8)),
        ])

    @Test func chunksSurviveTheirCoding() throws {
        let frame = ChunkFrame.encode(chunk)
        #expect(frame.count == 4 + Int(frame[0]) + Int(frame[1]) << 8)
        try frame.dropFirst(4).withUnsafeBytes { raw in
            let (id, handler, parts) = try ChunkFrame.decode(raw)
            #expect(id == 12)
            #expect(handler == "square")
            #expect(parts.map(\.batch) == chunk.parts.map(\.batch))
            #expect(parts.map(\.first) == [100, 0])
            #expect(parts.map(\.count) == [2, 1])
            #expect(parts.map(\.attempt) == [1, 5])
            #expect(parts.map { Array($0.input) } == chunk.parts.map(\.input))
        }
    }

    @Test func chunksThatAreCutAreRefused() {
        let frame = Array(ChunkFrame.encode(chunk).dropFirst(4))
        for count in 0..<frame.count {
            #expect(throws: ProtocolViolation.self) {
                try frame[..<count].withUnsafeBytes { raw in _ = try ChunkFrame.decode(raw) }
            }
        }
    }

    @Test func runsSurviveTheirCoding() throws {
        let failure = Failure(kind: .exception, message: "ä", type: "T", traceback: "line 1\nline 2")
        let body = FailureCoding.encode(failure)
        let bytes =
            RunCoding.header(.succeeded, count: 2, length: 3) + Array("1,2".utf8)
            + RunCoding.header(.failed, count: 1, length: body.count) + body
        let runs = try bytes.withUnsafeBytes { try RunCoding.decode($0) }
        #expect(runs == [.succeeded(count: 2, body: Array("1,2".utf8)), .failed(failure)])
        for count in 1..<bytes.count where count != 12 {
            #expect(throws: ProtocolViolation.self) {
                try bytes[..<count].withUnsafeBytes { try RunCoding.decode($0) }
            }
        }
    }

    @Test func runsThatMakeNoSenseAreRefused() {
        let failure = FailureCoding.encode(Failure(kind: .exception, message: "m"))
        let hostile: [[UInt8]] = [
            RunCoding.header(.succeeded, count: 0, length: 0),
            RunCoding.header(.failed, count: 2, length: failure.count) + failure,
            RunCoding.header(.failed, count: 1, length: 0),
            [9] + RunCoding.header(.succeeded, count: 1, length: 1).dropFirst() + [49],
            [1, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 49],
            RunCoding.header(.failed, count: 1, length: failure.count) + [7] + failure.dropFirst(),
        ]
        for bytes in hostile {
            #expect(throws: ProtocolViolation.self) { try bytes.withUnsafeBytes { try RunCoding.decode($0) } }
        }
    }

    @Test func longFailuresLoseTheirEnd() throws {
        let long = String(repeating: "x", count: 100_000)
        let bytes = FailureCoding.encode(Failure(kind: .exception, message: long, type: long, traceback: long))
        let failure = try bytes.withUnsafeBytes { try FailureCoding.decode($0) }
        #expect(failure.message.count == 4096)
        #expect(failure.type?.count == 256)
        #expect(failure.traceback?.count == 16_384)
    }
}
