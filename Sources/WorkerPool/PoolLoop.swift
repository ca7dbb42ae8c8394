import Glibc
import JobModel
import Logging
import Platform
import WorkerKit

/// The pool's thread: waits for what the zygote and the workers say and for deadlines, tells `PoolState`, and does what that
/// wants.
final class PoolLoop {
    private enum Token {
        static let signal: UInt64 = 0
        static let zygote: UInt64 = 1
        /// Added to a worker's number.
        static let workers: UInt64 = 2
    }

    /// How long the workers may take to die when the pool stops, and then the zygote.
    private static let patience = TimeSpan(seconds: 2)

    private let configuration: PoolConfiguration
    private let shared: SharedPool
    private let logger: Logger
    private let onEvent: @Sendable (ChunkEvent) -> Void
    private let onFatal: @Sendable (String) -> Void
    private let poller: Poller
    private var zygote: ZygoteClient?
    private var handles: [UInt32: WorkerHandle] = [:]
    private var orphans = Orphans()
    private var stopsBy: MonotonicTime?

    /// Starts the first zygote: throws what keeps it from starting.
    init(
        _ configuration: PoolConfiguration, shared: SharedPool, logger: Logger,
        onEvent: @escaping @Sendable (ChunkEvent) -> Void, onFatal: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        self.configuration = configuration
        self.shared = shared
        self.logger = logger
        self.onEvent = onEvent
        self.onFatal = onFatal
        poller = try Poller()
        try poller.add(shared.fileDescriptor, token: Token.signal)
        for action in shared.withState({ $0.tick(now: .now()) }) where action == .spawnZygote { try spawnZygote() }
    }

    /// Returns after a stop, when all processes are gone.
    func run() {
        while true {
            do {
                let alarm = [shared.withState { $0.alarm }, orphans.nextTry, stopsBy].compactMap { $0 }.min()
                for event in try poller.wait(until: alarm) { handle(event) }
            } catch {
                logger.critical("the pool cannot wait for its workers", metadata: ["error": "\(error)"])
                onFatal("the pool cannot wait for its workers: \(error)")
                break
            }
            update { state, now in state.tick(now: now) }
            orphans.reap(logger)
            if let stopsBy, stopsBy <= .now() || shared.withState({ $0.isQuiet }) { break }
        }
        endZygote()
        for (number, handle) in handles { collect(number, handle, shared.withState { $0.chunk(of: number) }) }
    }

    private func handle(_ event: Poller.Event) {
        switch event.token {
        case Token.signal:
            doErrands()
        case Token.zygote:
            receiveReports()
        default:
            let number = UInt32(event.token - Token.workers)
            guard let handle = handles[number], handle.isWatched else { return }
            if event.isWritable && handle.channel.flush() { watch(number, handle, [.read]) }
            if event.isReadable || event.isClosed { read(number, handle) }
        }
    }

    private func doErrands() {
        let errands = shared.takeErrands()
        perform(errands.actions)
        for number in errands.unsent {
            if let handle = handles[number], handle.isWatched { watch(number, handle, [.read, .write]) }
        }
        if errands.isStopping && stopsBy == nil {
            stopsBy = .now() + PoolLoop.patience
            update { state, now in state.stop(now: now) }
        }
    }

    // MARK: Actions

    private func update(_ change: (inout PoolState, MonotonicTime) -> [PoolState.Action]) {
        perform(shared.withState { change(&$0, .now()) })
    }

    private func perform(_ actions: [PoolState.Action]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: PoolState.Action) {
        switch action {
        case .spawnZygote:
            do {
                try spawnZygote()
            } catch {
                logger.error("the zygote could not be started", metadata: ["error": "\(error)"])
                update { state, now in state.zygoteEnded(now: now) }
            }
        case .fork(let worker):
            fork(worker)
        case .send(let worker, let chunk):
            guard let handle = handles[worker] else { return }
            if !handle.channel.send(ChunkFrame.encode(chunk)) { watch(worker, handle, [.read, .write]) }
        case .kill(let process, let signal):
            ChildProcess.signalGroup(process, signal)
        case .inspect(let worker):
            guard let handle = handles[worker] else { return }
            update { state, now in state.observed(worker, handle.runningJob, now: now) }
        case .collect(let worker, let chunk):
            if let handle = handles[worker] { collect(worker, handle, chunk) }
        case .drop(let worker, let orphan):
            if let handle = handles.removeValue(forKey: worker) { unwatch(handle) }
            shared.setChannel(nil, of: worker)
            if let orphan { orphans.add(orphan) }
        case .emit(let event):
            onEvent(event)
        case .wake:
            break
        }
    }

    // MARK: The zygote

    private func spawnZygote() throws(SystemError) {
        let zygote = try ZygoteClient(configuration)
        try poller.add(zygote.fileDescriptor, token: Token.zygote)
        self.zygote = zygote
    }

    private func receiveReports() {
        while let zygote {
            switch zygote.receive() {
            case .nothing: return
            case .report(let report): handle(report)
            case .end(let reason):
                loseZygote(reason)
                return
            }
        }
    }

    private func handle(_ report: ZygoteReport) {
        switch report {
        case .ready:
            update { state, now in state.zygoteReady(now: now) }
        case .preparationFailed(let reason):
            logger.error("the handlers could not be prepared", metadata: ["reason": "\(reason)"])
        case .forked(let worker, let process):
            update { state, now in state.forked(worker, process: process, now: now) }
        case .forkFailed(let worker, let reason):
            logger.error("a worker could not be forked", metadata: ["reason": "\(reason)"])
            update { state, now in state.forkFailed(worker, now: now) }
        case .exited(let exit):
            logger.debug("a worker has ended", metadata: exit.metadata)
            update { state, now in state.exited(exit, now: now) }
        }
    }

    private func loseZygote(_ reason: String) {
        logger.error("the zygote is lost", metadata: ["reason": "\(reason)"])
        endZygote()
        update { state, now in state.zygoteEnded(now: now) }
    }

    private func endZygote() {
        guard let zygote else { return }
        self.zygote = nil
        do {
            try poller.remove(zygote.fileDescriptor)
            if let exit = try zygote.end(patience: PoolLoop.patience) {
                logger.debug("the zygote has ended", metadata: exit.metadata)
            }
        } catch {
            logger.error("the zygote could not be ended", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Workers

    private func fork(_ worker: UInt32) {
        guard let zygote else { return }
        do {
            let handle = try zygote.fork(worker, maximumResultBytes: configuration.maximumResultBytes)
            try poller.add(handle.channel.socket.rawValue, token: Token.workers + UInt64(worker))
            handles[worker] = handle
            shared.setChannel(handle.channel, of: worker)
        } catch {
            logger.error("a worker could not be asked for", metadata: ["error": "\(error)"])
            update { state, now in state.forkFailed(worker, now: now) }
        }
    }

    private func read(_ number: UInt32, _ handle: WorkerHandle) {
        switch handle.read(chunk: { shared.withState { $0.chunk(of: number) } }) {
        case .some(let news):
            hear(news, from: number)
        case .nothing:
            break
        case .ended:
            unwatch(handle)
            update { state, now in state.socketEnded(number, now: now) }
        case .violated(let news, let error):
            hear(news, from: number)
            logger.error(
                "a worker broke the protocol and is killed",
                metadata: ["worker": "\(number)", "violation": "\(error)"])
            unwatch(handle)
            update { state, now in state.violated(number, error, now: now) }
        }
    }

    private func hear(_ news: [WorkerHandle.News], from number: UInt32) {
        for item in news {
            switch item {
            case .outcomes(let chunk, let position, let runs):
                onEvent(.outcomes(chunk: chunk, position: position, runs: runs))
            case .completed(let busy):
                update { state, now in state.completed(number, busy: busy, now: now) }
            }
        }
    }

    private func collect(_ number: UInt32, _ handle: WorkerHandle, _ chunk: Chunk?) {
        unwatch(handle)
        let left = chunk.map { handle.collect($0) }
        if let left { hear(left.news, from: number) }
        update { state, now in state.collected(number, left?.remains, now: now) }
    }

    private func watch(_ number: UInt32, _ handle: WorkerHandle, _ interest: Poller.Interest) {
        do {
            try poller.modify(
                handle.channel.socket.rawValue, token: Token.workers + UInt64(number), interest: interest)
        } catch {
            logger.error("a worker's socket cannot be watched", metadata: ["error": "\(error)"])
            update { state, now in state.socketEnded(number, now: now) }
        }
    }

    private func unwatch(_ handle: WorkerHandle) {
        guard handle.isWatched else { return }
        handle.isWatched = false
        do {
            try poller.remove(handle.channel.socket.rawValue)
        } catch {
            logger.error("a worker's socket cannot be left alone", metadata: ["error": "\(error)"])
        }
    }
}

extension ProcessExit {
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["process": "\(processID)"]
        if let exitCode { metadata["status"] = "\(exitCode)" }
        if let signal { metadata["signal"] = "\(SignalName.of(signal))" }
        return metadata
    }
}
