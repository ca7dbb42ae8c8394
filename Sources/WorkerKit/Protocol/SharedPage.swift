import JSONBytes
package import JobModel
package import Platform

/// The memory that a worker shares with the server: which job runs and since when, and the outcomes and the additions to
/// counters that were not sent yet.
///
/// But for the word that recalls a chunk it is written by the worker only, and stays readable after the worker's death, at whatever
/// instruction that came. A job's outcome is visible as a whole or not at all: it becomes so with one store of the commit word, or, if
/// results are not counted there, with its last byte, as none of the bytes before it may be missing in JSON. The server does not trust
/// what it reads.
package struct SharedPage: ~Copyable {
    package static let size = 256 * 1024
    /// Bytes of outcomes that fit.
    package static let regionSize = size - regionOffset

    /// Behind the words and the entries of `PageCounters`.
    private static let regionOffset = 4352
    private enum Word {
        static let chunk = 0
        /// Of the job that runs.
        static let position = 8
        /// Seconds of the monotonic clock as a double, which Python stores faster than an integer; 0 while no job runs.
        static let startedAt = 16
        /// The position of the first outcome in the region.
        static let first = 24
        static let commit = 32
        /// Odd while the region is emptied: what a reader copied before and after that does not belong together.
        static let generation = 64
        // The baseline.
        static let processorTime = 72
        static let markedAt = 80
        static let unreadErrors = 88
        // Lines that were held back.
        static let heldLines = 96
        static let heldPosition = 104
        /// The server's own: the chunk that it wants back as far as it has not begun.
        static let recalled = 112
    }

    /// How much of the region is valid: complete runs, and behind them one run of results that still grows. Fits one word.
    struct Commit: Equatable {
        /// Instead of a count of results: nobody has counted them. They stand where those of an open run do, each with a comma behind it,
        /// and behind them zeros up to the region's end.
        static let uncounted = 0xFF_FFFF

        var closedBytes = 0
        var openBytes = 0
        var openCount = 0

        /// Bytes of the region in use, with the header that the open run gets when it is closed.
        var usedBytes: Int { closedBytes + (openCount > 0 ? RunCoding.headerSize + openBytes : 0) }
    }

    let memory: SharedMemory

    package static func makeFile() throws(SystemError) -> Descriptor {
        try MemoryFile.make(name: "jobmill-page", size: size)
    }

    package init(mapping file: borrowing Descriptor) throws(SystemError) {
        memory = try SharedMemory(mapping: file, size: SharedPage.size)
    }

    // MARK: The worker's side

    func begin(chunk: UInt64) {
        memory.storeWord(0, at: Word.startedAt)
        empty {
            memory.storeWord(0, at: Word.first)
            memory.storeWord(0, at: Word.position)
            memory.storeWord(chunk, at: Word.chunk)
        }
    }

    func start(position: Int, at time: MonotonicTime) {
        // In this order, a reader never charges a job with the time of the one before it.
        memory.storeWord((Double(time.nanoseconds) / 1e9).bitPattern, at: Word.startedAt)
        memory.storeWord(UInt64(position), at: Word.position)
    }

    /// What is used from here on is not charged to jobs before.
    func mark(_ baseline: Baseline) {
        memory.storeWord(UInt64(baseline.processorTime), at: Word.processorTime)
        memory.storeWord(UInt64(baseline.errors.unread), at: Word.unreadErrors)
        memory.storeWord(UInt64(baseline.errors.time.nanoseconds), at: Word.markedAt)
    }

    /// So many lines that the job at `position` logged were held back, and that was not told yet.
    func hold(lines: Int, position: Int) {
        memory.storeWord(UInt64(position), at: Word.heldPosition)
        memory.storeWord(UInt64(lines), at: Word.heldLines)
    }

    func stop() { memory.storeWord(0, at: Word.startedAt) }

    /// Whether no further job of the chunk is to be started.
    func isRecalled(_ chunk: UInt64) -> Bool { memory.loadWord(at: Word.recalled) == chunk }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        memory.write(bytes, at: SharedPage.regionOffset + offset)
    }

    func commit(_ commit: Commit) {
        let word = UInt64(commit.closedBytes) | UInt64(commit.openBytes) << 20 | UInt64(commit.openCount) << 40
        memory.storeWord(word, at: Word.commit)
    }

    /// Empties the region; the next outcome in it will be that of the job at `first`.
    func restart(first: Int) {
        empty { memory.storeWord(UInt64(first), at: Word.first) }
    }

    private func empty(_ change: () -> Void) {
        let generation = memory.loadWord(at: Word.generation) | 1
        memory.storeWord(generation, at: Word.generation)
        memory.fence()
        commit(Commit())
        change()
        memory.storeWord(generation &+ 1, at: Word.generation)
    }

    func appendRegion(_ count: Int, to bytes: inout [UInt8]) {
        memory.withBytes(SharedPage.regionOffset..<(SharedPage.regionOffset + count)) { bytes.append(contentsOf: $0) }
    }

    /// What the worker had used when it was last between two jobs; within a few milliseconds, as jobs that are shorter share one.
    package struct Baseline: Hashable, Sendable {
        /// Nanoseconds of processor time.
        package var processorTime: Int64
        package var errors: ErrorsMark

        package init(processorTime: Int64, errors: ErrorsMark) {
            self.processorTime = processorTime
            self.errors = errors
        }
    }

    // MARK: The server's side

    /// Asks the worker to start no further job of the chunk, and to end it as it is. It may not have the chunk yet.
    package func recall(_ chunk: UInt64) { memory.storeWord(chunk, at: Word.recalled) }

    /// nil before the first chunk.
    package func baseline() -> Baseline? {
        let time = memory.loadWord(at: Word.markedAt)
        guard time != 0 else { return nil }
        return Baseline(
            processorTime: Int64(clamping: memory.loadWord(at: Word.processorTime)),
            errors: ErrorsMark(
                time: MonotonicTime(nanoseconds: Int64(clamping: time)),
                unread: Int(clamping: memory.loadWord(at: Word.unreadErrors))))
    }

    /// Lines of the chunk that a dead worker had held back and told nobody of; nil if there are none.
    package func heldLines() -> (position: Int, count: Int)? {
        let count = memory.loadWord(at: Word.heldLines)
        guard count > 0 else { return nil }
        return (Int(clamping: memory.loadWord(at: Word.heldPosition)), Int(UInt32(clamping: count)))
    }

    package struct RunningJob: Equatable, Sendable {
        package let chunk: UInt64
        package let position: Int
        package let startedAt: MonotonicTime

        package init(chunk: UInt64, position: Int, startedAt: MonotonicTime) {
            self.chunk = chunk
            self.position = position
            self.startedAt = startedAt
        }
    }

    /// The chunk that the worker works on, or has worked on last; 0 before the first.
    package var chunk: UInt64 { memory.loadWord(at: Word.chunk) }

    /// The job that runs now, or ran when the worker died; nil between chunks.
    package func runningJob() -> RunningJob? {
        let chunk = memory.loadWord(at: Word.chunk)
        let position = memory.loadWord(at: Word.position)
        let startedAt = Double(bitPattern: memory.loadWord(at: Word.startedAt))
        guard startedAt != 0 else { return nil }
        return RunningJob(
            chunk: chunk, position: Int(clamping: position),
            startedAt: MonotonicTime(nanoseconds: max(0, TimeSpan(seconds: startedAt).nanoseconds)))
    }

    /// The outcomes that lie in the region, from the job at `first` on. Only for a worker that does not run any more.
    package func unsentOutcomes(
        of chunk: UInt64, certify: FailureEvidence.Certifier = { $0.certificate }
    ) throws(ProtocolViolation) -> (first: Int, runs: [ChunkRun]) {
        guard memory.loadWord(at: Word.chunk) == chunk else { return (0, []) }
        let bytes = try copyRegion()
        return (Int(clamping: memory.loadWord(at: Word.first)), try SharedPage.runs(bytes, certify))
    }

    /// The same while the worker runs. The page still holds them afterwards: they will be sent, or are found when the worker
    /// is dead.
    /// - Returns: nil if the worker is emptying the region or is at another chunk.
    package func finishedOutcomes(
        of chunk: UInt64, certify: FailureEvidence.Certifier = { $0.certificate }
    ) throws(ProtocolViolation) -> (first: Int, runs: [ChunkRun])? {
        let generation = memory.loadWord(at: Word.generation)
        guard generation % 2 == 0, memory.loadWord(at: Word.chunk) == chunk else { return nil }
        let first = memory.loadWord(at: Word.first)
        let copy = Result { () throws(ProtocolViolation) in try copyRegion() }
        memory.fence()
        // Only what was copied within one generation has to make sense.
        guard memory.loadWord(at: Word.generation) == generation else { return nil }
        return (Int(clamping: first), try SharedPage.runs(try copy.get(), certify))
    }

    private func copyRegion() throws(ProtocolViolation) -> [UInt8] {
        let word = memory.loadWord(at: Word.commit)
        let commit = Commit(
            closedBytes: Int(word & 0xF_FFFF), openBytes: Int(word >> 20 & 0xF_FFFF), openCount: Int(word >> 40))
        let isCounted = commit.openCount != Commit.uncounted
        let used = isCounted ? commit.usedBytes : commit.closedBytes
        guard used <= SharedPage.regionSize else {
            throw ProtocolViolation("the shared page holds more than it can")
        }
        var bytes: [UInt8] = []
        appendRegion(used, to: &bytes)
        if !isCounted {
            appendUncounted(to: &bytes)
        } else if commit.openCount > 0 {
            let header = RunCoding.header(.succeeded, count: commit.openCount, length: commit.openBytes)
            bytes.replaceSubrange(commit.closedBytes..<(commit.closedBytes + header.count), with: header)
        }
        return bytes
    }

    /// - Parameter bytes: the closed runs, which the results stand behind.
    private func appendUncounted(to bytes: inout [UInt8]) {
        let start = min(SharedPage.regionOffset + bytes.count + RunCoding.headerSize, SharedPage.size)
        let results = memory.withBytes(start..<SharedPage.size) { region in
            Array(region[..<(region.firstIndex(of: 0) ?? region.endIndex)])
        }
        let (count, length) = CommaSeparated.finished(in: results)
        guard count > 0 else { return }
        bytes += RunCoding.header(.succeeded, count: count, length: length)
        bytes += results[..<length]
    }

    private static func runs(
        _ bytes: [UInt8], _ certify: FailureEvidence.Certifier
    ) throws(ProtocolViolation) -> [ChunkRun] {
        try bytes.span.withUnsafeBytes { (raw) throws(ProtocolViolation) in
            try RunCoding.decode(raw, certify: certify)
        }
    }
}
