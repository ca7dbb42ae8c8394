import JobModel
import Platform

/// Keeps a chunk's outcomes on the shared page and sends them on when the page is full, when they are 50 ms old, and at the
/// chunk's end. A result that is larger than the page goes out at once.
struct OutcomeWriter: ~Copyable {
    private static let interval = TimeSpan.milliseconds(50)

    private let page: SharedPage
    private let socket: Int32
    private let maximumResultBytes: Int

    private var chunk: UInt64 = 0
    /// Jobs of the chunk that are done, and so the position of the one that runs.
    private var finished = 0
    private var region = SharedPage.Commit()
    /// The position of the first outcome in the region.
    private var first = 0
    private var now = MonotonicTime(nanoseconds: 0)
    private var lastSent = MonotonicTime(nanoseconds: 0)
    private var outgoing: [UInt8] = []

    /// - Parameter socket: a blocking stream socket, open as long as this lives.
    init(page: consuming SharedPage, socket: Int32, maximumResultBytes: Int) {
        self.page = page
        self.socket = socket
        self.maximumResultBytes = maximumResultBytes
    }

    // Everything below throws when the server is gone.

    mutating func begin(chunk: UInt64) {
        self.chunk = chunk
        finished = 0
        first = 0
        region = SharedPage.Commit()
        page.begin(chunk: chunk)
        now = .lastTick()
        lastSent = now
    }

    /// The next job begins.
    func start() { page.start(position: finished, at: now) }

    mutating func succeeded(_ result: [UInt8]) throws(SystemError) {
        if result.count > maximumResultBytes {
            let sentence = "the result has \(result.count) bytes, \(maximumResultBytes) are allowed"
            return try failed(Failure(kind: .invalidResult, message: sentence))
        }
        if region.usedBytes + RunCoding.headerSize + 1 + result.count > SharedPage.regionSize { try sendRegion() }
        if RunCoding.headerSize + 1 + result.count > SharedPage.regionSize {
            try sendAlone(result)
        } else {
            append(result)
        }
        try finishJob()
    }

    mutating func failed(_ failure: Failure) throws(SystemError) {
        let body = FailureCoding.encode(failure)
        if region.usedBytes + RunCoding.headerSize + body.count > SharedPage.regionSize { try sendRegion() }
        closeRun()
        let run = RunCoding.header(.failed, count: 1, length: body.count) + body
        let offset = region.closedBytes
        run.withUnsafeBytes { page.write($0, at: offset) }
        region.closedBytes += run.count
        page.commit(region)
        try finishJob()
    }

    /// The next job belongs to another batch: a run does not go across.
    mutating func endPart() { closeRun() }

    mutating func end(busySeconds: Double) throws(SystemError) {
        takeRegion()
        outgoing += WorkerFrame.done(chunk: chunk, busySeconds: busySeconds)
        try sendOutgoing()
        page.stop()
    }

    private mutating func append(_ result: [UInt8]) {
        // The header's place stays free until the run is closed.
        var offset = region.closedBytes + RunCoding.headerSize + region.openBytes
        if region.openCount > 0 {
            withUnsafeBytes(of: UInt8(ascii: ",")) { page.write($0, at: offset) }
            offset += 1
            region.openBytes += 1
        }
        result.withUnsafeBytes { page.write($0, at: offset) }
        region.openBytes += result.count
        region.openCount += 1
        page.commit(region)
    }

    private mutating func closeRun() {
        guard region.openCount > 0 else { return }
        let header = RunCoding.header(.succeeded, count: region.openCount, length: region.openBytes)
        let offset = region.closedBytes
        header.withUnsafeBytes { page.write($0, at: offset) }
        region = SharedPage.Commit(closedBytes: region.usedBytes)
        page.commit(region)
    }

    private mutating func finishJob() throws(SystemError) {
        finished += 1
        now = .lastTick()
        if now - lastSent >= OutcomeWriter.interval { try sendRegion() }
    }

    private mutating func sendRegion() throws(SystemError) {
        // A server that is slow to receive is not the job's fault, neither the last one's nor the next one's.
        page.stop()
        takeRegion()
        try sendOutgoing()
        now = .lastTick()
        lastSent = now
    }

    /// Puts the region's frame into `outgoing`.
    private mutating func takeRegion() {
        closeRun()
        guard region.closedBytes > 0 else { return }
        outgoing += WorkerFrame.outcomesHeader(chunk: chunk, position: first, runBytes: region.closedBytes)
        page.appendRegion(region.closedBytes, to: &outgoing)
    }

    /// What was sent leaves the page only afterwards: the server finds it in one place or in both.
    private mutating func sendOutgoing() throws(SystemError) {
        guard !outgoing.isEmpty else { return }
        try outgoing.span.withUnsafeBytes { (raw) throws(SystemError) in try SocketTransfer.sendAll(socket, raw) }
        outgoing.removeAll(keepingCapacity: true)
        restart(first: finished)
    }

    private mutating func sendAlone(_ result: [UInt8]) throws(SystemError) {
        page.stop()
        let runBytes = RunCoding.headerSize + result.count
        let head =
            WorkerFrame.outcomesHeader(chunk: chunk, position: finished, runBytes: runBytes)
            + RunCoding.header(.succeeded, count: 1, length: result.count)
        try head.span.withUnsafeBytes { (head) throws(SystemError) in
            try result.span.withUnsafeBytes { (body) throws(SystemError) in
                try SocketTransfer.sendAll(socket, head, body)
            }
        }
        restart(first: finished + 1)
    }

    private mutating func restart(first: Int) {
        region = SharedPage.Commit()
        self.first = first
        page.restart(first: first)
    }
}
