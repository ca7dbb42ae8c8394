import JobModel
import Platform
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

    private func writer(maximumResultBytes: Int = 1 << 20) throws -> OutcomeWriter {
        OutcomeWriter(
            page: try SharedPage(mapping: file), socket: remote.rawValue, maximumResultBytes: maximumResultBytes)
    }

    private func text(_ string: String) -> [UInt8] { Array(string.utf8) }

    @Test func thePageShowsEachOutcomeAtOnce() throws {
        var writer = try writer()
        #expect(server.page.runningJob() == nil)
        writer.begin(chunk: 5)
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
        writer.endPart()
        writer.start()
        try writer.succeeded(text("5"))
        let expected: [ChunkRun] = [
            .succeeded(count: 2, body: text("1,[2]")), .failed(failure), .succeeded(count: 1, body: text("4")),
            .succeeded(count: 1, body: text("5")),
        ]
        let unsent = try server.page.unsentOutcomes(of: 5)
        #expect(unsent.first == 0)
        #expect(unsent.runs == expected)
        #expect(try server.frames().isEmpty)
        #expect(try server.page.unsentOutcomes(of: 6).runs.isEmpty, "another chunk's outcomes are not there")

        writer.endPart()
        try writer.end(busySeconds: 0.5)
        let frames = try server.frames()
        #expect(frames.count == 2)
        guard case .outcomes(5, 0, expected) = frames[0], case .done(5, 0.5) = frames[1] else {
            Issue.record("\(frames)")
            return
        }
        #expect(server.page.runningJob() == nil)
        #expect(try server.page.unsentOutcomes(of: 5).runs.isEmpty)
    }

    @Test func aFullPageIsSent() throws {
        var writer = try writer()
        writer.begin(chunk: 1)
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
        var writer = try writer(maximumResultBytes: 200_000 + SharedPage.regionSize)
        let large = [UInt8](repeating: UInt8(ascii: "1"), count: SharedPage.regionSize)
        writer.begin(chunk: 1)
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

    @Test func aResultOverTheLimitIsAFailure() throws {
        var writer = try writer(maximumResultBytes: 3)
        writer.begin(chunk: 1)
        for result in ["123", "1234"] {
            writer.start()
            try writer.succeeded(text(result))
        }
        let runs = try server.page.unsentOutcomes(of: 1).runs
        #expect(runs.count == 2)
        #expect(
            runs.last
                == .failed(Failure(kind: .invalidResult, message: "the result has 4 bytes, 3 are allowed")))
    }

    @Test func outcomesAreSentWhenTheyAre50MillisecondsOld() throws {
        var writer = try writer()
        writer.begin(chunk: 1)
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
        var writer = OutcomeWriter(
            page: try SharedPage(mapping: file), socket: worker.rawValue, maximumResultBytes: 100)
        writer.begin(chunk: 1)
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
        for commit: UInt64 in [.max, 0xF_FFFF, 0xF_FFFF << 20 | 1 << 40, 100, 1 << 63 | 5, 1 << 20] {
            memory.storeWord(commit, at: 32)
            if commit == 1 << 20 {
                #expect(try server.page.unsentOutcomes(of: 1).runs.isEmpty, "an open run of nothing is nothing")
            } else {
                #expect(throws: ProtocolViolation.self, "\(commit)") { _ = try server.page.unsentOutcomes(of: 1) }
            }
        }
        memory.storeWord(.max, at: 8)
        memory.storeWord(.max, at: 16)
        #expect(server.page.runningJob()?.position == .max)
    }
}
