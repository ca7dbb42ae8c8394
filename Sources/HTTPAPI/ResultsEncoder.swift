import JSONBytes
import JobModel
import JobStore

/// Writes recorded runs the way clients see them, from the stored bytes and without decoding them.
struct ResultsEncoder: Sendable {
    enum View: Sendable {
        /// One object per job and line: NDJSON.
        case lines
        /// The same objects with commas between them.
        case objects
        /// The results alone with commas between them; for succeeded jobs only.
        case values
    }

    let view: View
    private let beforeID: [UInt8]

    init(_ view: View, batch: BatchID) {
        self.view = view
        beforeID = Array(",\"id\":\"job_\(batch.ulid)_".utf8)
    }

    /// Appends the jobs `range` of a run; objects follow a comma unless `bytes` is empty, values unless they are the first.
    /// - Parameter range: indices of the batch, inside the run's.
    func append(_ run: OutcomeRun, _ range: Range<Int>, isFirst: Bool, to bytes: inout [UInt8]) {
        guard !range.isEmpty else { return }
        let body =
            range == run.range || run.body.isEmpty
            ? run.body[...]
            : CommaSeparated.slice(run.body[...], dropping: range.lowerBound - run.first, taking: range.count)
        if view == .values {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: body)
        } else {
            appendObjects(range, run.outcome, body, to: &bytes)
        }
    }

    private func appendObjects(
        _ range: Range<Int>, _ outcome: Outcome, _ body: ArraySlice<UInt8>, to bytes: inout [UInt8]
    ) {
        let afterID: [UInt8]
        switch outcome {
        case .succeeded: afterID = Array("\",\"status\":\"succeeded\",\"result\":".utf8)
        case .failed: afterID = Array("\",\"status\":\"failed\",\"error\":".utf8)
        case .cancelled, .expired: afterID = Array("\",\"status\":\"\(outcome.rawValue)\"".utf8)
        }
        bytes.reserveCapacity(
            bytes.count + body.count + range.count * (ResultsEncoder.start.count + beforeID.count + afterID.count + 20))
        guard outcome == .succeeded || outcome == .failed else {
            for index in range {
                appendObject(index, afterID, UnsafeRawBufferPointer(start: nil, count: 0), to: &bytes)
            }
            return
        }
        var index = range.lowerBound
        body.withUnsafeBytes { text in
            CommaSeparated.forEach(in: text) { element in
                appendObject(index, afterID, element, to: &bytes)
                index += 1
                return true
            }
        }
    }

    private static let start = Array("{\"index\":".utf8)

    @inline(__always)
    private func appendObject(
        _ index: Int, _ afterID: [UInt8], _ element: UnsafeRawBufferPointer, to bytes: inout [UInt8]
    ) {
        if view == .objects && !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: ResultsEncoder.start)
        let digits = bytes.count
        JSONWriter.append(index, to: &bytes)
        let end = bytes.count
        bytes.append(contentsOf: beforeID)
        for position in digits..<end { bytes.append(bytes[position]) }
        bytes.append(contentsOf: afterID)
        bytes.append(contentsOf: element)
        bytes.append(UInt8(ascii: "}"))
        if view == .lines { bytes.append(UInt8(ascii: "\n")) }
    }
}
