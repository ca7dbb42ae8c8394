import JobModel
import Platform
import Testing

@testable import WorkerKit

@Suite struct RunCodingTests {
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

    @Test(arguments: [Failure.Kind.exception, .invalidResult, .unknownHandler, .outputLimit, .cpuLimit])
    func aWorkerReports(kind: Failure.Kind) throws {
        let bytes = FailureCoding.encode(Failure(kind: kind, message: "m"))
        #expect(try bytes.withUnsafeBytes { try FailureCoding.decode($0) }.kind == kind)
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
            RunCoding.header(.failed, count: 1, length: failure.count) + failure.dropLast() + [2],
        ]
        for bytes in hostile {
            #expect(throws: ProtocolViolation.self) { try bytes.withUnsafeBytes { try RunCoding.decode($0) } }
        }
    }

    @Test func evidenceSurvivesItsCoding() throws {
        func mark(_ time: Int64, _ unread: Int) -> ErrorsMark {
            ErrorsMark(time: MonotonicTime(nanoseconds: time), unread: unread)
        }
        var evidence = FailureEvidence(
            certificate: DeathCertificate(
                processID: 7, exitCode: 0, cpuSeconds: 0.5, peakResidentBytes: 1 << 40, wallSeconds: 1.5),
            since: mark(3, 4), until: mark(5, 6))
        func coded(_ evidence: FailureEvidence) throws -> (failure: Failure, seen: FailureEvidence?) {
            var seen: FailureEvidence?
            let bytes = FailureCoding.encode(Failure(kind: .outputLimit, message: "m"), evidence)
            let failure = try bytes.withUnsafeBytes { bytes in
                try FailureCoding.decode(bytes) {
                    seen = $0
                    var certificate = $0.certificate
                    certificate.standardError = "words"
                    return certificate
                }
            }
            return (failure, seen)
        }
        let first = try coded(evidence)
        #expect(first.seen == evidence)
        evidence.certificate.standardError = "words"
        #expect(first.failure == Failure(kind: .outputLimit, message: "m", death: evidence.certificate))
        evidence.certificate.exitCode = nil
        evidence.certificate.signal = "SIGTERM"
        #expect(try coded(evidence).failure.death == evidence.certificate)
        for nonsense in [Double.nan, -1, .infinity] {
            evidence.certificate.cpuSeconds = nonsense
            let hostile = evidence
            #expect(throws: ProtocolViolation.self) { try coded(hostile) }
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
