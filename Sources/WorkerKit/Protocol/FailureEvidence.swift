package import JobModel
package import Platform

/// A moment in what a worker writes to its standard error, which the server reads on the way.
package struct ErrorsMark: Hashable, Sendable {
    package var time: MonotonicTime
    /// Bytes that the server had not read yet.
    package var unread: Int

    package init(time: MonotonicTime, unread: Int) {
        self.time = time
        self.unread = unread
    }
}

/// What a worker has measured of a job that failed while the worker itself goes on.
package struct FailureEvidence: Hashable, Sendable {
    /// What is known without its standard error: that goes through the server's hands.
    package var certificate: DeathCertificate
    /// Between these lies what the job wrote there.
    package var since: ErrorsMark
    package var until: ErrorsMark

    package init(certificate: DeathCertificate, since: ErrorsMark, until: ErrorsMark) {
        self.certificate = certificate
        self.since = since
        self.until = until
    }

    /// Makes the certificate complete.
    package typealias Certifier = (FailureEvidence) -> DeathCertificate
}

/// Evidence as bytes behind a failure: 1 (0: there is none), the process identifier (4 bytes), its exit code (4; -1: none), its
/// signal (4; 0: none), processor time in seconds (8), peak memory in bytes (8), wall time in seconds (8), and for each of the two
/// marks its time (8) and its unread bytes (4).
enum EvidenceCoding {
    static func encode(_ evidence: FailureEvidence?, to writer: inout ByteWriter) {
        guard let evidence else { return writer.put(UInt8(0)) }
        let certificate = evidence.certificate
        writer.put(UInt8(1))
        writer.put(certificate.processID)
        writer.put(certificate.exitCode ?? -1)
        writer.put(certificate.signal.flatMap(SignalName.number) ?? 0)
        writer.put(certificate.cpuSeconds)
        writer.put(certificate.peakResidentBytes)
        writer.put(certificate.wallSeconds)
        for mark in [evidence.since, evidence.until] {
            writer.put(mark.time.nanoseconds)
            writer.put(UInt32(clamping: mark.unread))
        }
    }

    static func decode(_ reader: inout ByteReader) throws(ProtocolViolation) -> FailureEvidence? {
        switch try reader.take(UInt8.self) {
        case 0: return nil
        case 1: break
        default: throw ProtocolViolation("evidence of an unknown form")
        }
        var certificate = DeathCertificate(processID: try reader.take(Int32.self))
        let (code, signal) = (try reader.take(Int32.self), try reader.take(Int32.self))
        certificate.exitCode = code >= 0 ? code : nil
        certificate.signal = signal > 0 ? SignalName.of(signal) : nil
        certificate.cpuSeconds = try reader.duration()
        certificate.peakResidentBytes = max(0, try reader.take(Int64.self))
        certificate.wallSeconds = try reader.duration()
        let (since, until) = (try mark(&reader), try mark(&reader))
        return FailureEvidence(certificate: certificate, since: since, until: until)
    }

    private static func mark(_ reader: inout ByteReader) throws(ProtocolViolation) -> ErrorsMark {
        ErrorsMark(
            time: MonotonicTime(nanoseconds: try reader.take(Int64.self)), unread: Int(try reader.take(UInt32.self)))
    }
}
