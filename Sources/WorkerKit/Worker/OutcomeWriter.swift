import Glibc
import JobModel
import Platform

/// Keeps a chunk's outcomes on the shared page and sends them on when the page is full, when they are 50 ms old, and at the
/// chunk's end. A result that is larger than the page goes out at once.
struct OutcomeWriter: ~Copyable {
    private static let interval = TimeSpan.milliseconds(50)

    let link: WorkerLink

    private var chunk: UInt64 = 0
    private(set) var maximumResultBytes = 0
    /// Jobs of the chunk that are done, and so the position of the one that runs.
    private(set) var finished = 0
    /// Jobs of the chunk that a pipeline has taken.
    var taken = 0
    private var region = SharedPage.Commit()
    /// The position of the first outcome in the region.
    private var first = 0
    /// When the running job was started, and then when the last one ended.
    private(set) var now = MonotonicTime(nanoseconds: 0)
    private var lastSent = MonotonicTime(nanoseconds: 0)
    /// When the page was last told what the worker has used.
    private var markedAt = MonotonicTime(nanoseconds: 0)
    private var baseline = SharedPage.Baseline(
        processorTime: 0, errors: ErrorsMark(time: MonotonicTime(nanoseconds: 0), unread: 0))
    private var outgoing: [UInt8] = []

    init(_ link: WorkerLink) { self.link = link }

    /// Whether the server wants the chunk back as far as it has not begun.
    var isRecalled: Bool { link.page.isRecalled(chunk) }

    // Everything below throws when the server is gone.

    mutating func begin(chunk: UInt64, maximumResultBytes: Int) {
        self.chunk = chunk
        self.maximumResultBytes = maximumResultBytes
        finished = 0
        taken = 0
        first = 0
        region = SharedPage.Commit()
        link.page.begin(chunk: chunk)
        now = .lastTick()
        lastSent = now
        mark()
    }

    /// Takes down what the worker has used by now, once for all jobs that begin within a tick.
    private mutating func mark() {
        guard now != markedAt else { return }
        markedAt = now
        ResourceUse.forgetPeak()
        // The time first, and below last: what the server reads in between is shown twice rather than not at all.
        let time = MonotonicTime.now()
        let errors = ErrorsMark(time: time, unread: ResourceUse.unreadBytes(in: STDERR_FILENO))
        baseline = SharedPage.Baseline(processorTime: ResourceUse.now.processorTime, errors: errors)
        link.page.mark(baseline)
    }

    /// What the running job, which has failed, has used and written since the baseline.
    private func evidence(of failure: Failure) -> FailureEvidence {
        var certificate = failure.death ?? ownCertificate
        certificate.wallSeconds = max(0, (.lastTick() - now).seconds)
        let unread = ResourceUse.unreadBytes(in: STDERR_FILENO)
        return FailureEvidence(
            certificate: certificate, since: baseline.errors, until: ErrorsMark(time: .now(), unread: unread))
    }

    private var ownCertificate: DeathCertificate {
        let use = ResourceUse.now
        return DeathCertificate(
            processID: getpid(), cpuSeconds: Double(max(0, use.processorTime - baseline.processorTime)) / 1e9,
            peakResidentBytes: use.peakResidentBytes)
    }

    /// The next job begins.
    func start() { link.page.start(position: finished, at: now) }

    mutating func succeeded(_ result: [UInt8]) throws(SystemError) {
        if result.count > maximumResultBytes {
            let sentence = "the result has \(result.count) bytes, \(maximumResultBytes) are allowed"
            return try failed(Failure(kind: .outputLimit, message: sentence))
        }
        try look()
        if region.usedBytes + RunCoding.headerSize + 1 + result.count > SharedPage.regionSize { try sendRegion() }
        if RunCoding.headerSize + 1 + result.count > SharedPage.regionSize {
            try sendAlone(result)
        } else {
            append(result)
        }
        try finishJob()
    }

    /// - Parameter failure: with a certificate if it is not this process that failed, but a command that it runs.
    mutating func failed(_ failure: Failure) throws(SystemError) {
        // Before the next job's baseline is taken.
        let body = FailureCoding.encode(failure, evidence(of: failure))
        try look()
        if region.usedBytes + RunCoding.headerSize + body.count > SharedPage.regionSize { try sendRegion() }
        closeRun()
        let run = RunCoding.header(.failed, count: 1, length: body.count) + body
        let offset = region.closedBytes
        run.withUnsafeBytes { link.page.write($0, at: offset) }
        region.closedBytes += run.count
        link.page.commit(region)
        try finishJob()
    }

    /// The next job belongs to another batch: a run does not go across.
    mutating func endPart() throws(SystemError) {
        closeRun()
        try link.sendCounters()
    }

    mutating func end(busySeconds: Double) throws(SystemError) {
        link.page.stop()
        takeRegion()
        outgoing += WorkerFrame.done(chunk: chunk, busySeconds: busySeconds)
        try link.end(outgoing)
        outgoing.removeAll(keepingCapacity: true)
        restart(first: finished)
    }

    /// The worker ends in the middle of its chunk: sends what there is.
    mutating func leave() throws(SystemError) { try sendRegion() }

    /// A job has ended. If it has closed the worker's socket, it answers for that itself, as far as this can be told.
    private mutating func look() throws(SystemError) {
        let time = MonotonicTime.lastTick()
        let isLater = time.nanoseconds != now.nanoseconds
        now = time
        guard isLater else { return }
        try link.checkSocket()
        mark()
    }

    private mutating func append(_ result: [UInt8]) {
        // The header's place stays free until the run is closed.
        var offset = region.closedBytes + RunCoding.headerSize + region.openBytes
        if region.openCount > 0 {
            withUnsafeBytes(of: UInt8(ascii: ",")) { link.page.write($0, at: offset) }
            offset += 1
            region.openBytes += 1
        }
        result.withUnsafeBytes { link.page.write($0, at: offset) }
        region.openBytes += result.count
        region.openCount += 1
        link.page.commit(region)
    }

    private mutating func closeRun() {
        guard region.openCount > 0 else { return }
        let header = RunCoding.header(.succeeded, count: region.openCount, length: region.openBytes)
        let offset = region.closedBytes
        header.withUnsafeBytes { link.page.write($0, at: offset) }
        region = SharedPage.Commit(closedBytes: region.usedBytes)
        link.page.commit(region)
    }

    private mutating func finishJob() throws(SystemError) {
        finished += 1
        if now.nanoseconds - lastSent.nanoseconds >= OutcomeWriter.interval.nanoseconds { try sendRegion() }
    }

    private mutating func sendRegion() throws(SystemError) {
        // A server that is slow to receive is not the job's fault, neither the last one's nor the next one's.
        link.page.stop()
        try link.sendCounters()
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
        link.page.appendRegion(region.closedBytes, to: &outgoing)
    }

    /// What was sent leaves the page only afterwards: the server finds it in one place or in both.
    private mutating func sendOutgoing() throws(SystemError) {
        guard !outgoing.isEmpty else { return }
        try link.send(outgoing)
        outgoing.removeAll(keepingCapacity: true)
        restart(first: finished)
    }

    private mutating func sendAlone(_ result: [UInt8]) throws(SystemError) {
        link.page.stop()
        let runBytes = RunCoding.headerSize + result.count
        let head =
            WorkerFrame.outcomesHeader(chunk: chunk, position: finished, runBytes: runBytes)
            + RunCoding.header(.succeeded, count: 1, length: result.count)
        try link.sendCounters()
        try link.send(head, result)
        now = .lastTick()
        restart(first: finished + 1)
    }

    private mutating func restart(first: Int) {
        region = SharedPage.Commit()
        self.first = first
        link.page.restart(first: first)
    }
}
