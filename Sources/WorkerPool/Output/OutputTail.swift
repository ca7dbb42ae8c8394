import Platform
import WorkerKit

/// The last bytes that were written to a stream.
struct OutputTail {
    /// Bytes of a text that is taken from it.
    static let limit = 2048
    /// More, as others may have written by the time that the end of a job's text is wanted.
    private static let kept = 64 << 10
    private static let historyLimit = 256

    private var bytes: [UInt8] = []
    /// Bytes that have come in all.
    private var total = 0
    /// Only the newest are kept.
    private var history: [Reading] = []
    private var hasForgotten = false

    private struct Reading {
        let begin: MonotonicTime
        let end: MonotonicTime
        /// Bytes that had come then.
        let total: Int
    }

    /// - Parameters: when they were read.
    mutating func add(_ new: UnsafeRawBufferPointer, from begin: MonotonicTime, to end: MonotonicTime) {
        total += new.count
        history.append(Reading(begin: begin, end: end, total: total))
        if history.count > 2 * OutputTail.historyLimit {
            history.removeFirst(OutputTail.historyLimit)
            hasForgotten = true
        }
        bytes += new
        // Not each time, so that a stream of small pieces is not copied again and again.
        if bytes.count > 2 * OutputTail.kept { bytes.removeFirst(bytes.count - OutputTail.kept) }
    }

    mutating func clear() { bytes.removeAll(keepingCapacity: true) }

    /// The end of what was written between two marks, as far as it is still there, what is no UTF-8 replaced; nil if there is nothing.
    /// What was read just then is taken to lie between them.
    /// - Parameters:
    ///   - since: nil: the beginning.
    ///   - until: nil: the end.
    func text(since: ErrorsMark? = nil, until: ErrorsMark? = nil) -> String? {
        guard !bytes.isEmpty else { return nil }
        var (begin, end) = (0, total)
        if let until {
            guard let known = count(in: history.last { $0.begin <= until.time }) else { return nil }
            end = min(total, known + max(0, until.unread))
        }
        if let since, let known = count(in: history.last { $0.end <= since.time }) {
            begin = known + max(0, since.unread)
        }
        let first = total - bytes.count
        begin = max(begin, end - OutputTail.limit, first)
        guard begin < end else { return nil }
        // A character that was cut in two at the beginning is left out.
        let tail = bytes[(begin - first)..<(end - first)].drop { begin > 0 && $0 & 0xC0 == 0x80 }
        return tail.isEmpty ? nil : String(decoding: tail, as: UTF8.self)
    }

    /// nil if that is not known any more.
    private func count(in reading: Reading?) -> Int? { reading?.total ?? (hasForgotten ? nil : 0) }
}
