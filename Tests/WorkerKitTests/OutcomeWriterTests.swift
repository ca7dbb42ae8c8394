import Glibc
import JobModel
import Platform
import Synchronization
import Testing

@testable import WorkerKit

/// The writer and the page together: what the server finds at any moment.
@Suite final class OutcomeWriterTests {
    /// The server's end.
    private final class Server {
        let socket: Descriptor
        let page: SharedPage
        private var inbox = FrameBuffer(limit: WorkerFrame.limit(maximumResultBytes: 1 << 20))

        init(socket: consuming Descriptor, page: consuming SharedPage) throws {
            try socket.setNonBlocking()
            self.socket = socket
            self.page = page
        }

        func frames() throws -> [WorkerFrame] {
            var frames: [WorkerFrame] = []
            while case .bytes = try inbox.fill(from: socket.rawValue) {
                while let frame = try inbox.next(WorkerFrame.init(decoding:)) { frames.append(frame) }
            }
            return frames
        }
    }

    private let server: Server
    private let remote: Descriptor
    private let file: Descriptor

    init() throws {
        let (left, right) = try SocketPair().split()
        let local = Descriptor(adopting: left)
        remote = Descriptor(adopting: right)
        // A full page has to fit: nobody reads while the writer sends.
        SocketTransfer.enlargeSendBuffer(remote.rawValue, bytes: 1 << 20)
        file = try SharedPage.makeFile()
        server = try Server(socket: local, page: try SharedPage(mapping: file))
    }

    private func writer() throws -> OutcomeWriter {
        OutcomeWriter(WorkerLink(page: try SharedPage(mapping: file), socket: remote.rawValue))
    }

    private func text(_ string: String) -> [UInt8] { Array(string.utf8) }

    /// Runs whose failures carry no measurements.
    private func bare(_ runs: [ChunkRun]) -> [ChunkRun] {
        runs.map { run in
            guard case .failed(var failure) = run else { return run }
            failure.death = nil
            return .failed(failure)
        }
    }

    @Test func thePageShowsEachOutcomeAtOnce() throws {
        var writer = try writer()
        #expect(server.page.runningJob() == nil)
        writer.begin(chunk: 5, maximumResultBytes: 1 << 20)
        #expect(server.page.runningJob() == nil)
        writer.start()
        #expect(server.page.runningJob()?.position == 0)
        #expect(server.page.runningJob()?.chunk == 5)
        try writer.succeeded(text("1"))
        #expect(try server.page.unsentOutcomes(of: 5).runs == [.succeeded(count: 1, body: text("1"))])
        writer.start()
        #expect(server.page.runningJob()?.position == 1)
        try writer.succeeded(text("[2]"))
        let failure = Failure(kind: .exception, message: "no")
        writer.start()
        try writer.failed(failure)
        writer.start()
        try writer.succeeded(text("4"))
        try writer.endPart()
        writer.start()
        try writer.succeeded(text("5"))
        let expected: [ChunkRun] = [
            .succeeded(count: 2, body: text("1,[2]")), .failed(failure), .succeeded(count: 1, body: text("4")),
            .succeeded(count: 1, body: text("5")),
        ]
        let unsent = try server.page.unsentOutcomes(of: 5)
        #expect(unsent.first == 0)
        #expect(bare(unsent.runs) == expected)
        #expect(try server.frames().isEmpty)
        #expect(try server.page.unsentOutcomes(of: 6).runs.isEmpty, "another chunk's outcomes are not there")

        try writer.endPart()
        try writer.end(busySeconds: 0.5)
        let frames = try server.frames()
        #expect(frames.count == 2)
        guard case .outcomes(5, 0, let runs) = frames[0], bare(runs) == expected, case .done(5, 0.5) = frames[1] else {
            Issue.record("\(frames)")
            return
        }
        #expect(server.page.runningJob() == nil)
        #expect(try server.page.unsentOutcomes(of: 5).runs.isEmpty)
    }

    @Test func thePageCanBeReadWhileTheWorkerRuns() throws {
        var writer = try writer()
        writer.begin(chunk: 5, maximumResultBytes: 1 << 20)
        for result in ["1", "2"] {
            writer.start()
            try writer.succeeded(text(result))
        }
        try writer.endPart()
        writer.start()
        try writer.succeeded(text("3"))
        let expected: [ChunkRun] = [.succeeded(count: 2, body: text("1,2")), .succeeded(count: 1, body: text("3"))]
        let found = try #require(try server.page.finishedOutcomes(of: 5))
        #expect(found.first == 0)
        #expect(found.runs == expected)
        #expect(try server.page.unsentOutcomes(of: 5).runs == expected, "it stays where it is")
        #expect(try server.page.finishedOutcomes(of: 6) == nil)
        try writer.end(busySeconds: 0)
        #expect(try server.page.finishedOutcomes(of: 5)?.runs.isEmpty == true)
    }

    @Test func aPageThatIsBeingEmptiedIsNotRead() throws {
        let memory = try SharedMemory(mapping: file, size: SharedPage.size)
        var writer = try writer()
        writer.begin(chunk: 5, maximumResultBytes: 1 << 20)
        #expect(try server.page.finishedOutcomes(of: 5) != nil)
        memory.storeWord(memory.loadWord(at: 64) + 1, at: 64)
        #expect(try server.page.finishedOutcomes(of: 5) == nil)
        // The next one who empties it puts that right.
        writer.begin(chunk: 6, maximumResultBytes: 1 << 20)
        #expect(try server.page.finishedOutcomes(of: 6) != nil)
    }

    /// A thread that reads all the time never sees outcomes that do not belong together.
    @Test func aReaderSeesWholeOutcomesOnly() throws {
        let page = ReadablePage(page: try SharedPage(mapping: file))
        let isOver = Atomic<Bool>(false)
        let seen = Mutex<(readings: Int, wrong: String?)>((0, nil))
        let reader = try OwnedThread(name: "reader") {
            while !isOver.load(ordering: .acquiring) {
                let found = Result { try page.page.finishedOutcomes(of: 1) }
                seen.withLock { seen in
                    switch found {
                    case .failure(let error): seen.wrong = "\(error)"
                    case .success(nil): break
                    case .success(let (first, runs)?):
                        seen.readings += runs.isEmpty ? 0 : 1
                        if let wrong = OutcomeWriterTests.mismatch(first, runs) { seen.wrong = wrong }
                    }
                }
            }
        }
        defer { reader.join() }
        defer { isOver.store(true, ordering: .releasing) }
        var writer = try writer()
        writer.begin(chunk: 1, maximumResultBytes: 1 << 20)
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 20)
        var position = 0
        while position < 3000 || (seen.withLock { $0.readings } < 100 && .now() < deadline) {
            writer.start()
            // Each result says its position; long ones fill the page often.
            let filling = [UInt8](repeating: UInt8(ascii: "0"), count: OutcomeWriterTests.length(position))
            try writer.succeeded(text("\(position)") + [UInt8(ascii: ".")] + filling + [UInt8(ascii: "1")])
            position += 1
            _ = try server.frames()
        }
        #expect(seen.withLock { $0.wrong } == nil)
        #expect(seen.withLock { $0.readings } >= 100)
    }

    private final class ReadablePage: @unchecked Sendable {
        // It is read by one thread.
        let page: SharedPage
        init(page: consuming SharedPage) { self.page = page }
    }

    private static func length(_ position: Int) -> Int { position % 10 * 10_000 }

    private static func mismatch(_ first: Int, _ runs: [ChunkRun]) -> String? {
        var position = first
        for run in runs {
            guard case .succeeded(let count, let body) = run else { return "a failure" }
            let results = String(decoding: body, as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
            if results.count != count { return "\(results.count) results where \(count) are named" }
            for result in results {
                let expected = "\(position)." + String(repeating: "0", count: length(position)) + "1"
                if result != expected { return "\(result.prefix(10)) at \(position)" }
                position += 1
            }
        }
        return nil
    }

    @Test func aFullPageIsSent() throws {
        var writer = try writer()
        writer.begin(chunk: 1, maximumResultBytes: 1 << 20)
        let result = [UInt8](repeating: UInt8(ascii: "7"), count: 10_000)
        for _ in 0..<40 {
            writer.start()
            try writer.succeeded(result)
        }
        var received = 0
        for frame in try server.frames() {
            guard case .outcomes(1, received, let runs) = frame else {
                Issue.record("\(frame)")
                return
            }
            received += runs.reduce(0) { $0 + $1.count }
        }
        let unsent = try server.page.unsentOutcomes(of: 1)
        #expect(unsent.first == received)
        #expect(received + unsent.runs.reduce(0) { $0 + $1.count } == 40)
        #expect(received >= 20)
    }

    @Test func aLargeResultGoesOutAlone() throws {
        var writer = try writer()
        let large = [UInt8](repeating: UInt8(ascii: "1"), count: SharedPage.regionSize)
        writer.begin(chunk: 1, maximumResultBytes: 200_000 + SharedPage.regionSize)
        writer.start()
        try writer.succeeded(text("0"))
        writer.start()
        let before = try server.frames()
        #expect(before.isEmpty)
        try writer.succeeded(large)
        let frames = try server.frames()
        guard frames.count == 2, case .outcomes(1, 0, [.succeeded(count: 1, body: text("0"))]) = frames[0],
            case .outcomes(1, 1, [.succeeded(count: 1, body: large)]) = frames[1]
        else {
            Issue.record("\(frames.count) frames")
            return
        }
        writer.start()
        try writer.succeeded(text("2"))
        #expect(try server.page.unsentOutcomes(of: 1).first == 2)
    }

    @Test func aFailureSaysWhatItsJobHasUsed() throws {
        var writer = try writer()
        writer.begin(chunk: 1, maximumResultBytes: 3)
        writer.start()
        let end = clock() + CLOCKS_PER_SEC / 10
        while clock() < end {}
        try writer.failed(Failure(kind: .exception, message: "no"))
        writer.start()
        try writer.succeeded(text("1234"))
        writer.start()
        let death = DeathCertificate(processID: 7, exitCode: 3, cpuSeconds: 9, peakResidentBytes: 11)
        try writer.failed(Failure(kind: .exception, message: "a command", death: death))
        let runs =
            try server.page.unsentOutcomes(of: 1).runs
            + server.frames().flatMap { frame in
                if case .outcomes(_, _, let runs) = frame { runs } else { [ChunkRun]() }
            }
        let certificates = runs.compactMap { run in
            if case .failed(let failure) = run { failure.death } else { nil }
        }
        try #require(certificates.count == 3)
        let first = try #require(certificates.first { $0.cpuSeconds > 0.08 && $0.processID == getpid() })
        #expect(first.peakResidentBytes > 1 << 20)
        #expect(certificates.count { $0.processID == getpid() } == 2)
        var given = try #require(certificates.first { $0.processID == 7 })
        given.wallSeconds = 0
        #expect(given == death)
    }

    @Test func aResultOverTheLimitIsAFailure() throws {
        var writer = try writer()
        writer.begin(chunk: 1, maximumResultBytes: 3)
        for result in ["123", "1234"] {
            writer.start()
            try writer.succeeded(text(result))
        }
        let runs = try server.page.unsentOutcomes(of: 1).runs
        #expect(runs.count == 2)
        #expect(
            bare(runs).last
                == .failed(Failure(kind: .outputLimit, message: "the result has 4 bytes, 3 are allowed")))
    }

    @Test func outcomesAreSentWhenTheyAre50MillisecondsOld() throws {
        var writer = try writer()
        writer.begin(chunk: 1, maximumResultBytes: 1 << 20)
        writer.start()
        try writer.succeeded(text("1"))
        let begin = MonotonicTime.now()
        var frames: [WorkerFrame] = []
        while frames.isEmpty && (MonotonicTime.now() - begin).seconds < 10 {
            writer.start()
            try writer.succeeded(text("2"))
            frames = try server.frames()
        }
        #expect(!frames.isEmpty)
        #expect((MonotonicTime.now() - begin).seconds >= 0.03)
    }

    @Test func aServerThatIsGoneIsAnError() throws {
        let (left, right) = try SocketPair().split()
        let worker = Descriptor(adopting: right)
        do { _ = Descriptor(adopting: left) }
        var writer = OutcomeWriter(WorkerLink(page: try SharedPage(mapping: file), socket: worker.rawValue))
        writer.begin(chunk: 1, maximumResultBytes: 1 << 20)
        writer.start()
        try writer.succeeded(text("1"))
        do {
            try writer.end(busySeconds: 0)
            Issue.record("nobody was there to take it")
        } catch {
            #expect(error.isBrokenPipe)
        }
    }

    @Test func garbageOnThePageIsRefused() throws {
        let memory = try SharedMemory(mapping: file, size: SharedPage.size)
        memory.storeWord(1, at: 0)
        for commit: UInt64 in [
            .max, 0xF_FFFF, 0xF_FFFF << 20 | 1 << 40, 100, 1 << 63 | 5, 1 << 20, 0xFF_FFFF << 40 | 0xF_FFFF,
        ] {
            memory.storeWord(commit, at: 32)
            if commit == 1 << 20 {
                #expect(try server.page.unsentOutcomes(of: 1).runs.isEmpty, "an open run of nothing is nothing")
            } else {
                #expect(throws: ProtocolViolation.self, "\(commit)") { _ = try server.page.unsentOutcomes(of: 1) }
            }
        }
        memory.storeWord(.max, at: 8)
        for seconds in [-1e300, -0.5, -.infinity, .infinity, .nan, 1e300, .leastNonzeroMagnitude] {
            memory.storeWord(seconds.bitPattern, at: 16)
            let job = server.page.runningJob()
            let running = try #require(job)
            #expect(running.position == .max)
            // Arithmetic with it is safe.
            #expect((MonotonicTime.now() - running.startedAt).nanoseconds <= MonotonicTime.now().nanoseconds)
        }
    }
}
