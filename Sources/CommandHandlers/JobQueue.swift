import JSONBytes
import JobModel
import WorkerKit

/// The jobs that a long-lived command was given or is about to be given, as lines of text, until their outcomes come.
struct JobQueue {
    struct Entry {
        let context: JobContext
        /// Where the text of its identifier stands in `lines`, with quotation marks.
        fileprivate let identifier: Range<Int>
        /// Behind its line.
        fileprivate let end: Int
    }

    /// What the lines of a batch's jobs have in common.
    private struct Beginning {
        static let identifierOffset = 6

        var batch: BatchID?
        /// To behind the `_` of the identifier.
        var text: [UInt8] = []
        /// From behind the identifier to the index.
        var batchText: [UInt8] = []

        init() {}

        init(_ context: JobContext) {
            batch = context.batch
            text = Array(#"{"id":"job_\#(context.batch.ulid)_"#.utf8)
            batchText = Array(#","batch":"\#(context.batchID)","index":"#.utf8)
        }
    }

    private var beginning = Beginning()
    private var lines: [UInt8] = []
    private var entries: [Entry] = []
    private var firstEntry = 0
    /// Where the line of the oldest job begins.
    private var head = 0
    /// Up to where the lines are written.
    private var sent = 0

    var count: Int { entries.count - firstEntry }
    var isEmpty: Bool { count == 0 }
    /// Of jobs without an outcome.
    var byteCount: Int { lines.count - head }
    var oldest: Entry? { firstEntry < entries.count ? entries[firstEntry] : nil }

    /// Bytes that are written and belong to jobs without an outcome.
    var sentBytes: Int { sent - head }
    var hasUnsent: Bool { sent < lines.count }
    /// Whether the oldest job is written completely.
    var isOldestSent: Bool { oldest.map { sent >= $0.end } ?? false }

    /// - Parameter sharedFile: where its batch's shared value is.
    mutating func append(_ payload: UnsafeRawBufferPointer, _ context: JobContext, sharedFile: String? = nil) {
        compact()
        if beginning.batch != context.batch { beginning = Beginning(context) }
        let identifier = lines.count + Beginning.identifierOffset
        lines.append(contentsOf: beginning.text)
        JSONWriter.append(context.index, to: &lines)
        lines.append(UInt8(ascii: "\""))
        let identifierEnd = lines.count
        lines.append(contentsOf: beginning.batchText)
        JSONWriter.append(context.index, to: &lines)
        lines.append(contentsOf: #","attempt":"#.utf8)
        JSONWriter.append(context.attempt, to: &lines)
        lines.append(contentsOf: #","timeout":"#.utf8)
        if let timeout = context.timeLimit {
            JSONWriter.append(timeout, to: &lines)
        } else {
            lines.append(contentsOf: "null".utf8)
        }
        if let traceparent = context.traceparent {
            lines.append(contentsOf: #","traceparent":"#.utf8)
            JSONWriter.append(traceparent, to: &lines)
        }
        if let sharedFile {
            lines.append(contentsOf: #","shared_file":"#.utf8)
            JSONWriter.append(sharedFile, to: &lines)
        }
        lines.append(contentsOf: #","payload":"#.utf8)
        let text = lines.count
        lines.append(contentsOf: payload)
        OneLine.join(&lines, from: text)
        lines.append(contentsOf: "}\n".utf8)
        entries.append(Entry(context: context, identifier: identifier..<identifierEnd, end: lines.count))
    }

    func isOldest(identifiedBy text: ArraySlice<UInt8>) -> Bool {
        oldest.map { lines[$0.identifier] == text } ?? false
    }

    /// Its outcome came.
    mutating func removeOldest() {
        guard let oldest else { return }
        head = oldest.end
        sent = max(sent, head)
        firstEntry += 1
    }

    /// Writes as much as is taken.
    mutating func send<Failure: Error>(_ write: (UnsafeRawBufferPointer) throws(Failure) -> Int) throws(Failure) {
        let from = sent
        sent += try lines.span.withUnsafeBytes { (raw) throws(Failure) in
            try write(UnsafeRawBufferPointer(rebasing: raw[from...]))
        }
    }

    /// What is without an outcome will be written again, to another process.
    mutating func rewind() { sent = head }

    private mutating func compact() {
        if isEmpty {
            // An unusually large line does not stay in memory for good.
            lines.removeAll(keepingCapacity: lines.capacity <= 1 << 20)
            entries.removeAll(keepingCapacity: true)
            firstEntry = 0
            head = 0
            sent = 0
        } else if head > 256 * 1024 && head > lines.count / 2 {
            let gap = head
            lines.removeFirst(gap)
            entries = entries[firstEntry...].map {
                Entry(
                    context: $0.context,
                    identifier: ($0.identifier.lowerBound - gap)..<($0.identifier.upperBound - gap),
                    end: $0.end - gap)
            }
            firstEntry = 0
            head = 0
            sent -= gap
        }
    }
}
