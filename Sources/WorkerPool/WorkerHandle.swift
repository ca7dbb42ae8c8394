import JobModel
import Platform
import WorkerKit

/// One worker as the pool's thread sees it: what it sends and prints, and its shared page.
final class WorkerHandle {
    /// Each is of 64 KiB or more: far beyond what a socket holds.
    private static let lastReadings = 128

    let channel: WorkerChannel
    let output: WorkerOutput
    private let page: SharedPage
    private var inbox: FrameBuffer
    private var progress: ChunkProgress?
    /// The chunk that was recalled last.
    private var recalled: UInt64?
    /// The number of the last counters that have come.
    private var counted: UInt64 = 0
    /// Where the chunk's last job was seen to run.
    private var lastSeen = 0
    /// Lines beyond a rate that were not told of yet. A flood is told of with the lines that come through, not with each reading.
    private var dropped = (position: 0, count: 0)
    /// Whether the poller looks at its socket.
    var isWatched = true
    /// Whether its chunk has not left completely.
    var isSending = false
    /// Whether it has said that it can run chunks.
    private(set) var isReady = false

    init(channel: WorkerChannel, page: consuming SharedPage, output: WorkerOutput, maximumResultBytes: Int) {
        self.channel = channel
        self.page = page
        self.output = output
        inbox = FrameBuffer(limit: WorkerFrame.limit(maximumResultBytes: maximumResultBytes))
    }

    enum News {
        case heard(ChunkEvent)
        /// The worker is done with its chunk. Unless that was recalled, all of its jobs are finished.
        case completed(finished: Int, busy: Double)
        case ready
        case setupFailed(reason: String)

        var isEndOfChunk: Bool { if case .completed = self { true } else { false } }
        var bringsOutcomes: Bool { if case .heard(.outcomes) = self { true } else { false } }
    }

    enum Reading {
        /// There may be more.
        case some([News])
        /// Nothing after it makes sense; what came before it does.
        case violated([News], ProtocolViolation)
        case nothing
        case ended
    }

    // MARK: The page

    /// What runs on it now, according to its page.
    var runningJob: SharedPage.RunningJob? { page.runningJob() }

    /// Whether the worker has seen the chunk.
    func hasBegun(_ chunk: Chunk) -> Bool { page.chunk == chunk.id || finished(of: chunk) > 0 }

    /// Jobs of a chunk whose outcomes were handed on.
    func finished(of chunk: Chunk) -> Int { progress?.chunk == chunk.id ? progress?.finished ?? 0 : 0 }

    /// The job of a chunk that is to answer for what is heard now.
    func position(in chunk: Chunk) -> Int {
        if let running = page.runningJob(), running.chunk == chunk.id { lastSeen = running.position }
        return min(max(lastSeen, 0), chunk.count - 1)
    }

    /// Outcomes that stand on the page and were not heard of, from a worker that goes on running.
    func anticipate(_ chunk: Chunk) -> ChunkEvent? {
        var progress = progress(of: chunk)
        // What makes no sense will do harm when it is sent; what was read before its turn comes later.
        guard let found = try? page.finishedOutcomes(of: chunk.id, certify: certifier()),
            let new = try? progress.anticipate(position: found.first, found.runs), !new.runs.isEmpty
        else { return nil }
        self.progress = progress
        return .outcomes(chunk: chunk.id, position: new.position, runs: new.runs)
    }

    /// From now on the worker may end the chunk before all of its jobs have begun.
    func recall(_ chunk: UInt64) {
        recalled = chunk
        page.recall(chunk)
    }

    // MARK: The socket

    /// Receives once.
    /// - Parameter chunk: which one the worker works on.
    func read(chunk: () -> Chunk?) -> Reading {
        let received: SocketTransfer.Received
        do {
            received = try inbox.fill(from: channel.socket.rawValue)
        } catch {
            return .ended
        }
        switch received {
        case .nothing: return .nothing
        case .end: return .ended
        case .bytes: return decode(chunk: chunk)
        }
    }

    private func decode(chunk: () -> Chunk?) -> Reading {
        var news: [News] = []
        let certify = certifier()
        do {
            while let frame = try inbox.next({ (bytes) throws(ProtocolViolation) in
                try WorkerFrame(decoding: bytes, certify: certify)
            }) {
                try take(frame, chunk, &news)
            }
            return .some(news)
        } catch {
            // The chunk's end is left to the worker's death: a free worker would be given the next chunk before it dies.
            return .violated(news.filter { if case .heard = $0 { true } else { false } }, error)
        }
    }

    /// Adds what failed jobs have written to standard error, all of which is in the pipe by the time that their outcomes are here.
    private func certifier() -> FailureEvidence.Certifier {
        var hasRead = false
        return { [output] evidence in
            if !hasRead { output.readAhead() }
            hasRead = true
            var certificate = evidence.certificate
            certificate.standardError = output.standardError(since: evidence.since, until: evidence.until)
            return certificate
        }
    }

    private func take(
        _ frame: WorkerFrame, _ chunk: () -> Chunk?, _ news: inout [News]
    ) throws(ProtocolViolation) {
        switch frame {
        case .ready:
            guard !isReady else { throw ProtocolViolation("ready twice") }
            isReady = true
            news.append(.ready)
        case .setupFailed(let reason):
            guard !isReady else { throw ProtocolViolation("a failed setup after all") }
            news.append(.setupFailed(reason: reason))
        default:
            guard let chunk = chunk() else { throw ProtocolViolation("a frame without a chunk") }
            try take(frame, of: chunk, &news)
        }
    }

    private func take(_ frame: WorkerFrame, of chunk: Chunk, _ news: inout [News]) throws(ProtocolViolation) {
        switch frame {
        case .outcomes(chunk.id, let position, let runs):
            var progress = progress(of: chunk)
            let new = try progress.accept(position: position, runs)
            self.progress = progress
            news += takeDropped(of: chunk).map { .heard($0) }
            if !new.runs.isEmpty {
                news.append(.heard(.outcomes(chunk: chunk.id, position: new.position, runs: new.runs)))
            }
        case .done(chunk.id, let busy):
            let progress = progress(of: chunk)
            guard progress.isComplete || recalled == chunk.id else {
                throw ProtocolViolation("an end before all outcomes")
            }
            news.append(.completed(finished: progress.finished, busy: busy))
            lastSeen = 0
        case .progress(chunk.id, let position, let progress):
            try check(position, in: chunk)
            // It may come behind the job's outcome, when nobody wants to know any more.
            guard position >= finished(of: chunk) else { return }
            // Of what comes at once only the newest counts.
            if case .heard(.progress(chunk.id, position, _)) = news.last { news.removeLast() }
            news.append(.heard(.progress(chunk: chunk.id, position: position, progress)))
        case .logged(chunk.id, let position, let level, let text):
            try check(position, in: chunk)
            news += tell(output.logged(level, text), position, of: chunk).map { .heard($0) }
        case .dropped(chunk.id, let position, let count):
            try check(position, in: chunk)
            news += tell(WorkerOutput.Heard(dropped: count), position, of: chunk, isLast: true).map { .heard($0) }
        case .counted(chunk.id, let position, let sequence, let deltas):
            try check(position, in: chunk)
            guard sequence > counted else { throw ProtocolViolation("counters that came before") }
            counted = sequence
            news.append(.heard(.counted(chunk: chunk.id, position: position, deltas)))
        default:
            throw ProtocolViolation("a frame for another chunk")
        }
    }

    private func check(_ position: Int, in chunk: Chunk) throws(ProtocolViolation) {
        guard position < chunk.count else { throw ProtocolViolation("position \(position) of \(chunk.count) jobs") }
    }

    // MARK: What it logs and prints

    /// Whether lines were left out and nobody was told.
    var hasDropped: Bool { dropped.count > 0 }

    /// What is to be told of what a job was heard to say.
    /// - Parameter isLast: it may be the last that is heard of the job.
    func tell(_ heard: WorkerOutput.Heard, _ position: Int, of chunk: Chunk, isLast: Bool = false) -> [ChunkEvent] {
        var events = position == dropped.position ? [] : takeDropped(of: chunk)
        dropped = (position, dropped.count + heard.dropped)
        if !heard.lines.isEmpty {
            events.append(.logged(chunk: chunk.id, position: position, heard.lines, dropped: dropped.count))
            dropped.count = 0
        } else if isLast {
            events += takeDropped(of: chunk)
        }
        return events
    }

    private func takeDropped(of chunk: Chunk) -> [ChunkEvent] {
        guard hasDropped else { return [] }
        defer { dropped.count = 0 }
        return [.logged(chunk: chunk.id, position: dropped.position, [], dropped: dropped.count)]
    }

    // MARK: Its end

    /// What a dead worker left of its chunk, in its pipes, its socket, and then on its page. What makes no sense there counts as
    /// nothing: it died, whatever else it did. Outcomes come last: with them a batch may end, and takes nothing more.
    func collect(_ chunk: Chunk) -> (events: [ChunkEvent], remains: PoolState.Remains) {
        var events: [ChunkEvent] = []
        events += tell(output.drain(), position(in: chunk), of: chunk)
        let rest = rest(of: chunk)
        events += rest.compactMap(\.event)
        if page.chunk == chunk.id, let held = page.heldLines(), held.position < chunk.count {
            events += tell(WorkerOutput.Heard(dropped: held.count), held.position, of: chunk)
        }
        events += takeDropped(of: chunk)
        if page.chunk == chunk.id, let left = (try? page.unsentCounters()) ?? nil, left.sequence > counted,
            left.position < chunk.count
        {
            counted = left.sequence
            events.append(.counted(chunk: chunk.id, position: left.position, left.deltas))
        }
        var progress = progress(of: chunk)
        if let unsent = try? page.unsentOutcomes(of: chunk.id, certify: certifier()), !unsent.runs.isEmpty,
            let new = try? progress.anticipate(position: unsent.first, unsent.runs), !new.runs.isEmpty
        {
            events.append(.outcomes(chunk: chunk.id, position: new.position, runs: new.runs))
        }
        self.progress = progress
        let running = page.runningJob()
        let isRunning = running?.chunk == chunk.id && running?.position == progress.finished
        let baseline = isRunning ? page.baseline() : nil
        var remains = PoolState.Remains(
            finished: progress.finished, runningSince: isRunning ? running?.startedAt : nil,
            standardError: output.standardError(since: baseline?.errors))
        remains.isDone = rest.contains { if case .completed = $0 { true } else { false } }
        remains.processorTimeBefore = Double(baseline?.processorTime ?? 0) / 1e9
        return (events, remains)
    }

    /// What is left in the socket. A descendant that still holds it is not listened to for ever.
    private func rest(of chunk: Chunk) -> [News] {
        var rest: [News] = []
        for _ in 0..<WorkerHandle.lastReadings {
            switch read(chunk: { chunk }) {
            case .some(let news): rest += news
            case .violated(let news, _): return rest + news
            case .nothing, .ended: return rest
            }
        }
        return rest
    }

    /// Why a dead worker that never was ready was not, if it has said so.
    func setupFailure() -> String? {
        guard !isReady else { return nil }
        while case .some(let news) = read(chunk: { nil }) {
            for case .setupFailed(let reason) in news { return reason }
        }
        return nil
    }

    private func progress(of chunk: Chunk) -> ChunkProgress {
        if let progress, progress.chunk == chunk.id { return progress }
        lastSeen = 0
        return ChunkProgress(chunk)
    }
}

extension WorkerHandle.News {
    fileprivate var event: ChunkEvent? {
        if case .heard(let event) = self { event } else { nil }
    }
}
