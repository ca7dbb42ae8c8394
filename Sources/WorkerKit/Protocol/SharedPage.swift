package import JobModel
package import Platform

/// The memory that a worker shares with the server: which job runs and since when, and the outcomes that were not sent yet.
///
/// It is written by the worker only, and stays readable after the worker's death, at whatever instruction that came: a job's
/// outcome becomes visible with one store of the commit word, or not at all. The server does not trust what it reads.
package struct SharedPage: ~Copyable {
    package static let size = 256 * 1024
    /// Bytes of outcomes that fit.
    package static let regionSize = size - regionOffset

    private static let regionOffset = 64
    private enum Word {
        static let chunk = 0
        /// Of the job that runs.
        static let position = 8
        /// Nanoseconds of the monotonic clock; 0 while no job runs.
        static let startedAt = 16
        /// The position of the first outcome in the region.
        static let first = 24
        static let commit = 32
    }

    /// How much of the region is valid: complete runs, and behind them one run of results that still grows. Fits one word.
    struct Commit: Equatable {
        var closedBytes = 0
        var openBytes = 0
        var openCount = 0

        /// Bytes of the region in use, with the header that the open run gets when it is closed.
        var usedBytes: Int { closedBytes + (openCount > 0 ? RunCoding.headerSize + openBytes : 0) }
    }

    private let memory: SharedMemory

    package static func makeFile() throws(SystemError) -> Descriptor {
        try MemoryFile.make(name: "jobmill-page", size: size)
    }

    package init(mapping file: borrowing Descriptor) throws(SystemError) {
        memory = try SharedMemory(mapping: file, size: SharedPage.size)
    }

    // MARK: The worker's side

    func begin(chunk: UInt64) {
        memory.storeWord(0, at: Word.startedAt)
        commit(Commit())
        memory.storeWord(0, at: Word.first)
        memory.storeWord(0, at: Word.position)
        memory.storeWord(chunk, at: Word.chunk)
    }

    func start(position: Int, at time: MonotonicTime) {
        // In this order, a reader never charges a job with the time of the one before it.
        memory.storeWord(UInt64(time.nanoseconds), at: Word.startedAt)
        memory.storeWord(UInt64(position), at: Word.position)
    }

    func stop() { memory.storeWord(0, at: Word.startedAt) }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        memory.write(bytes, at: SharedPage.regionOffset + offset)
    }

    func commit(_ commit: Commit) {
        let word = UInt64(commit.closedBytes) | UInt64(commit.openBytes) << 20 | UInt64(commit.openCount) << 40
        memory.storeWord(word, at: Word.commit)
    }

    /// Empties the region; the next outcome in it will be that of the job at `first`.
    func restart(first: Int) {
        commit(Commit())
        memory.storeWord(UInt64(first), at: Word.first)
    }

    func appendRegion(_ count: Int, to bytes: inout [UInt8]) {
        memory.withBytes(SharedPage.regionOffset..<(SharedPage.regionOffset + count)) { bytes.append(contentsOf: $0) }
    }

    // MARK: The server's side

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

    /// The job that runs now, or ran when the worker died; nil between chunks.
    package func runningJob() -> RunningJob? {
        let chunk = memory.loadWord(at: Word.chunk)
        let position = memory.loadWord(at: Word.position)
        let startedAt = memory.loadWord(at: Word.startedAt)
        guard startedAt != 0 else { return nil }
        return RunningJob(
            chunk: chunk, position: Int(clamping: position),
            startedAt: MonotonicTime(nanoseconds: Int64(clamping: startedAt)))
    }

    /// The outcomes that lie in the region, from the job at `first` on. Only for a worker that does not run any more.
    package func unsentOutcomes(of chunk: UInt64) throws(ProtocolViolation) -> (first: Int, runs: [ChunkRun]) {
        guard memory.loadWord(at: Word.chunk) == chunk else { return (0, []) }
        let word = memory.loadWord(at: Word.commit)
        let commit = Commit(
            closedBytes: Int(word & 0xF_FFFF), openBytes: Int(word >> 20 & 0xF_FFFF), openCount: Int(word >> 40))
        guard commit.usedBytes <= SharedPage.regionSize else {
            throw ProtocolViolation("the shared page holds more than it can")
        }
        var bytes: [UInt8] = []
        appendRegion(commit.usedBytes, to: &bytes)
        if commit.openCount > 0 {
            let header = RunCoding.header(.succeeded, count: commit.openCount, length: commit.openBytes)
            bytes.replaceSubrange(commit.closedBytes..<(commit.closedBytes + header.count), with: header)
        }
        let runs = try bytes.span.withUnsafeBytes { (raw) throws(ProtocolViolation) in try RunCoding.decode(raw) }
        return (Int(clamping: memory.loadWord(at: Word.first)), runs)
    }
}
