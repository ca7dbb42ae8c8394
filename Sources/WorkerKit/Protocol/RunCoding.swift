package import JobModel

/// Outcomes as bytes, in frames and on the shared page: runs one behind the other, each with a header (kind: 1 byte, count:
/// 4, length: 4) and so many bytes: for succeeded jobs their results with commas between them, for a failed one its failure.
package enum RunCoding {
    package static let headerSize = 9

    enum Kind: UInt8 {
        case succeeded = 1
        case failed = 2
    }

    static func header(_ kind: Kind, count: Int, length: Int) -> [UInt8] {
        var writer = ByteWriter(reserving: headerSize)
        writer.put(kind.rawValue)
        writer.put(UInt32(count))
        writer.put(UInt32(length))
        return writer.bytes
    }

    /// Takes runs up to the reader's end. The results are not looked into.
    static func decode(
        _ reader: inout ByteReader, certify: FailureEvidence.Certifier
    ) throws(ProtocolViolation) -> [ChunkRun] {
        var runs: [ChunkRun] = []
        while !reader.isAtEnd {
            let kind = Kind(rawValue: try reader.take(UInt8.self))
            let count = Int(try reader.take(UInt32.self))
            let body = try reader.take(Int(try reader.take(UInt32.self)))
            switch kind {
            case .succeeded where count > 0: runs.append(.succeeded(count: count, body: Array(body)))
            case .failed where count == 1: runs.append(.failed(try FailureCoding.decode(body, certify: certify)))
            default: throw ProtocolViolation("a run of outcomes that makes no sense")
            }
        }
        return runs
    }

    package static func decode(
        _ bytes: UnsafeRawBufferPointer, certify: FailureEvidence.Certifier = { $0.certificate }
    ) throws(ProtocolViolation) -> [ChunkRun] {
        var reader = ByteReader(bytes)
        return try decode(&reader, certify: certify)
    }
}

/// A failure that a worker reports: the kind (1 byte), then message, type and traceback as texts, and the evidence; an empty type or
/// traceback stands for none.
enum FailureCoding {
    private static let messageLimit = 4096
    private static let typeLimit = 256
    private static let tracebackLimit = 16_384

    /// The kinds that a worker may report, of itself or of a command. The others are the server's to find.
    private static let kinds: [Failure.Kind] = [
        .exception, .invalidResult, .unknownHandler, .outputLimit, .cpuLimit,
    ]

    /// What is too long loses its end.
    static func encode(_ failure: Failure, _ evidence: FailureEvidence? = nil) -> [UInt8] {
        var writer = ByteWriter(reserving: 256)
        writer.put(UInt8(kinds.firstIndex(of: failure.kind) ?? 0))
        writer.put(text: clipped(failure.message, toBytes: messageLimit))
        writer.put(text: clipped(failure.type ?? "", toBytes: typeLimit))
        writer.put(text: clipped(failure.traceback ?? "", toBytes: tracebackLimit))
        EvidenceCoding.encode(evidence, to: &writer)
        return writer.bytes
    }

    static func decode(
        _ bytes: UnsafeRawBufferPointer, certify: FailureEvidence.Certifier = { $0.certificate }
    ) throws(ProtocolViolation) -> Failure {
        var reader = ByteReader(bytes)
        let kind = Int(try reader.take(UInt8.self))
        guard kinds.indices.contains(kind) else { throw ProtocolViolation("a failure of the unknown kind \(kind)") }
        let message = try reader.text(limit: messageLimit)
        let type = try reader.text(limit: typeLimit)
        let traceback = try reader.text(limit: tracebackLimit)
        let evidence = try EvidenceCoding.decode(&reader)
        try reader.expectEnd()
        return Failure(
            kind: kinds[kind], message: message, type: type.isEmpty ? nil : type,
            traceback: traceback.isEmpty ? nil : traceback, death: evidence.map(certify))
    }
}
