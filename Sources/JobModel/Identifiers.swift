/// Names a batch: `bat_` and a ULID. Identifiers rise in the order of submission.
package struct BatchID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let ulid: ULID

    package init(_ ulid: ULID) { self.ulid = ulid }

    package init?(_ text: some StringProtocol) {
        guard text.hasPrefix("bat_"), let ulid = ULID(text.dropFirst(4)) else { return nil }
        self.ulid = ulid
    }

    package var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the characters of its description.
    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "bat_".utf8)
        ulid.append(to: &bytes)
    }

    package static func < (left: BatchID, right: BatchID) -> Bool { left.ulid < right.ulid }
}

/// Names a job: `job_`, the ULID of its batch, `_` and its index there, from 0.
package struct JobID: Hashable, Sendable, CustomStringConvertible {
    package let batch: BatchID
    package let index: Int

    package init(batch: BatchID, index: Int) {
        self.batch = batch
        self.index = index
    }

    package init?(_ text: some StringProtocol) {
        guard text.hasPrefix("job_") else { return nil }
        let rest = text.dropFirst(4)
        guard let separator = rest.firstIndex(of: "_"), let ulid = ULID(rest[..<separator]) else { return nil }
        let digits = rest[rest.index(after: separator)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = Int(digits),
            digits == "0" || digits.first != "0"
        else { return nil }
        self.init(batch: BatchID(ulid), index: index)
    }

    package var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the characters of its description.
    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "job_".utf8)
        batch.ulid.append(to: &bytes)
        bytes.append(UInt8(ascii: "_"))
        bytes.append(contentsOf: String(index).utf8)
    }
}

/// Names a delivery: `whd_` and a ULID; it is the `webhook-id` of every try.
package struct DeliveryID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let ulid: ULID

    package init(_ ulid: ULID) { self.ulid = ulid }

    package init?(_ text: some StringProtocol) {
        guard text.hasPrefix("whd_"), let ulid = ULID(text.dropFirst(4)) else { return nil }
        self.ulid = ulid
    }

    package var description: String { "whd_\(ulid)" }

    package static func < (left: DeliveryID, right: DeliveryID) -> Bool { left.ulid < right.ulid }
}
