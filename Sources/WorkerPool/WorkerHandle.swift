import JobModel
import Platform
import WorkerKit

/// One worker as the pool's thread sees it: what it sends, and its shared page.
final class WorkerHandle {
    let channel: WorkerChannel
    private let page: SharedPage
    private var inbox: FrameBuffer
    private var progress: ChunkProgress?
    /// Whether the poller looks at its socket.
    var isWatched = true

    init(channel: WorkerChannel, page: consuming SharedPage, maximumResultBytes: Int) {
        self.channel = channel
        self.page = page
        inbox = FrameBuffer(limit: WorkerFrame.limit(maximumResultBytes: maximumResultBytes))
    }

    enum News {
        case outcomes(chunk: UInt64, position: Int, runs: [ChunkRun])
        case completed(busy: Double)
    }

    enum Reading {
        /// There may be more.
        case some([News])
        /// Nothing after it makes sense; what came before it does.
        case violated([News], ProtocolViolation)
        case nothing
        case ended
    }

    /// What runs on it now, according to its page.
    var runningJob: SharedPage.RunningJob? { page.runningJob() }

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

    /// What a dead worker left, in its socket first and then on its page. What makes no sense there counts as nothing: it
    /// died, whatever else it did.
    func collect(_ chunk: Chunk) -> (news: [News], remains: PoolState.Remains) {
        var news: [News] = []
        var isReading = true
        while isReading {
            switch read(chunk: { chunk }) {
            case .some(let more): news += more
            case .violated(let more, _):
                news += more
                isReading = false
            case .nothing, .ended: isReading = false
            }
        }
        var progress = progress(of: chunk)
        if let unsent = try? page.unsentOutcomes(of: chunk.id), !unsent.runs.isEmpty,
            (try? progress.accept(position: unsent.first, unsent.runs)) != nil
        {
            news.append(.outcomes(chunk: chunk.id, position: unsent.first, runs: unsent.runs))
        }
        let running = page.runningJob()
        let isRunning = running?.chunk == chunk.id && running?.position == progress.finished
        return (
            news,
            PoolState.Remains(finished: progress.finished, runningSince: isRunning ? running?.startedAt : nil)
        )
    }

    private func decode(chunk: () -> Chunk?) -> Reading {
        var news: [News] = []
        do {
            try decode(chunk: chunk, into: &news)
            return .some(news)
        } catch {
            // The chunk's end is left to the worker's death: a free worker would be given the next chunk before it dies.
            let outcomes = news.filter { if case .outcomes = $0 { true } else { false } }
            return .violated(outcomes, error)
        }
    }

    private func decode(chunk: () -> Chunk?, into news: inout [News]) throws(ProtocolViolation) {
        while let frame = try inbox.next(WorkerFrame.init(decoding:)) {
            guard let chunk = chunk() else { throw ProtocolViolation("a frame without a chunk") }
            var progress = progress(of: chunk)
            switch frame {
            case .outcomes(chunk.id, let position, let runs):
                try progress.accept(position: position, runs)
                self.progress = progress
                news.append(.outcomes(chunk: chunk.id, position: position, runs: runs))
            case .done(chunk.id, let busy):
                guard progress.isComplete else { throw ProtocolViolation("an end before all outcomes") }
                news.append(.completed(busy: busy))
            case .outcomes, .done:
                throw ProtocolViolation("a frame for another chunk")
            }
        }
    }

    private func progress(of chunk: Chunk) -> ChunkProgress {
        if let progress, progress.chunk == chunk.id { return progress }
        return ChunkProgress(chunk)
    }
}
