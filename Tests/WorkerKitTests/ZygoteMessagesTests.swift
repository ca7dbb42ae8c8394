import Platform
import Testing

@testable import WorkerKit

@Suite struct ZygoteMessagesTests {
    private let reports: [ZygoteReport] = [
        .ready(problems: []),
        .ready(problems: [
            UnusableHandler(name: "blur", reason: "tasks has no function \"blur\""),
            UnusableHandler(name: "ä", reason: ""),
        ]),
        .preparationFailed(reason: "no ä"), .forked(worker: 7, processID: 4711),
        .forkFailed(worker: 8, reason: ""),
        .exited(
            ProcessExit(processID: 5, exitCode: 3, signal: nil, cpuSeconds: 1.25, peakResidentBytes: 1 << 40)),
        .exited(ProcessExit(processID: 5, exitCode: nil, signal: 11)),
    ]

    @Test func reportsSurviveTheirCoding() throws {
        for report in reports { #expect(try ZygoteReport(decoding: report.encoded()) == report) }
    }

    @Test func requestsSurviveTheirCoding() throws {
        let requests: [ZygoteRequest] = [
            .fork(worker: 9), .setup([]), .setup(Array(#"{"handlers":["square"]}"#.utf8)),
            .setup([UInt8](repeating: 32, count: ZygoteRequest.setupLimit)),
        ]
        for request in requests { #expect(try ZygoteRequest(decoding: request.encoded()) == request) }
    }

    @Test func messagesThatAreCutOrTooLongAreRefused() {
        for bytes in reports.map({ $0.encoded() }) {
            for count in 0..<bytes.count {
                #expect(throws: ProtocolViolation.self) { try ZygoteReport(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: ProtocolViolation.self) { try ZygoteReport(decoding: bytes + [0]) }
        }
        for kind in [0] + Array(UInt8(6)...255) {
            #expect(throws: ProtocolViolation.self) { try ZygoteReport(decoding: [kind]) }
        }
        let hostile: [[UInt8]] = [
            [], [0], [1], [1, 1, 2, 3], [1, 1, 2, 3, 4, 5], [3, 0, 0, 0, 0],
            [2] + [UInt8](repeating: 32, count: ZygoteRequest.setupLimit + 1),
        ]
        for bytes in hostile {
            #expect(throws: ProtocolViolation.self) { try ZygoteRequest(decoding: bytes) }
        }
    }

    @Test func absurdCountsAndLengthsAreRefused() {
        let hostile: [[UInt8]] = [
            // Handlers, far more than there are bytes; a name, a reason over their limits.
            [1, 0xFF, 0xFF, 0xFF, 0xFF], [1, 1, 1, 0, 0] + [UInt8](repeating: 0, count: 257 * 8),
            [1, 1, 0, 0, 0, 200, 0, 0, 0] + [UInt8](repeating: 65, count: 204),
            [2, 0xFF, 0xFF, 0xFF, 0xFF, 65], [2, 1, 0, 0, 0, 0xFF],
        ]
        for bytes in hostile { #expect(throws: ProtocolViolation.self) { try ZygoteReport(decoding: bytes) } }
        for seconds in [Double.nan, .infinity, -1] {
            let report = ZygoteReport.exited(ProcessExit(processID: 5, exitCode: 0, signal: nil, cpuSeconds: seconds))
            #expect(throws: ProtocolViolation.self) { try ZygoteReport(decoding: report.encoded()) }
        }
    }

    @Test(arguments: [0, 1, -5] as [Int32]) func processesThatMustNotBeSignalledAreRefused(number: Int32) {
        let report = ZygoteReport.forked(worker: 1, processID: number)
        #expect(throws: ProtocolViolation.self) { try ZygoteReport(decoding: report.encoded()) }
    }

    @Test func longReasonsLoseTheirEnd() throws {
        let long = String(repeating: "ä", count: 5000)
        #expect(
            try ZygoteReport(decoding: ZygoteReport.forkFailed(worker: 1, reason: long).encoded())
                == .forkFailed(worker: 1, reason: String(repeating: "ä", count: 1024)))
        for count in [1, 50, 256, 1000] {
            let problems = (0..<count).map { UnusableHandler(name: "\($0)" + long, reason: long) }
            let bytes = ZygoteReport.ready(problems: problems).encoded()
            #expect(bytes.count <= ZygoteReport.maximumSize)
            guard case .ready(let told) = try ZygoteReport(decoding: bytes) else { return }
            #expect(told.count == min(count, 256))
            #expect(told.allSatisfy { $0.reason.utf8.count >= 64 && long.hasPrefix($0.reason) })
        }
    }
}
