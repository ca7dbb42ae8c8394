import Glibc
import JobModel
import Logging
import Platform
import WorkerKit

/// The pool's thread: waits for what the zygotes and the workers say and for deadlines, tells `PoolState`, and does what that
/// wants.
final class PoolLoop {
    /// What a descriptor in the poller belongs to.
    enum Token: Equatable {
        case signal
        case zygote(Int)
        case socket(UInt32)
        case pipe(UInt32, WorkerOutput.Stream)
        /// The end of a zygote whose channel has ended.
        case end(Int)

        var rawValue: UInt64 {
            switch self {
            case .signal: 0
            case .zygote(let place): 1 << 32 | UInt64(place)
            case .socket(let worker): 2 << 32 | UInt64(worker)
            case .pipe(let worker, let stream): (3 + UInt64(stream.rawValue)) << 32 | UInt64(worker)
            case .end(let place): 5 << 32 | UInt64(place)
            }
        }

        init(_ rawValue: UInt64) {
            let number = UInt32(truncatingIfNeeded: rawValue)
            switch rawValue >> 32 {
            case 0: self = .signal
            case 1: self = .zygote(Int(number))
            case 2: self = .socket(number)
            case 3: self = .pipe(number, .output)
            case 4: self = .pipe(number, .errors)
            default: self = .end(Int(number))
            }
        }
    }

    /// How long the workers may take to die when the pool stops, and then the zygotes.
    static let patience = TimeSpan(seconds: 2)

    let configuration: PoolConfiguration
    let shared: SharedPool
    let logger: Logger
    let onEvent: @Sendable (ChunkEvent) -> Void
    private let onFatal: @Sendable (String) -> Void
    let poller: Poller
    /// What runtimes are started from, by the numbers that the state knows them by.
    var definitions: [Int: RuntimeDefinition] = [:]
    var zygotes: [Int: ZygoteClient] = [:]
    /// Their places are not free yet.
    var dyingZygotes: [Int: DyingZygote] = [:]
    var handles: [UInt32: WorkerHandle] = [:]
    var orphans = Orphans()
    var memory: MemoryShortage
    var complaints = ZygoteComplaints()
    /// The workers' sockets are not read.
    var isPaused = false
    private var stopsBy: MonotonicTime?

    /// Starts the first zygotes: throws what keeps them from starting if none of them can be.
    init(
        _ configuration: PoolConfiguration, shared: SharedPool, logger: Logger,
        onEvent: @escaping @Sendable (ChunkEvent) -> Void, onFatal: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        self.configuration = configuration
        self.shared = shared
        self.logger = logger
        self.onEvent = onEvent
        self.onFatal = onFatal
        memory = MemoryShortage(rootedAt: configuration.controlGroups)
        poller = try Poller()
        try poller.add(shared.fileDescriptor, token: Token.signal.rawValue)
        definitions = Dictionary(uniqueKeysWithValues: configuration.runtimes.enumerated().map { ($0, $1) })
        var failures: [(place: Int, error: SystemError)] = []
        for case .spawnZygote(let place) in shared.withState({ $0.tick(now: .now()) }) {
            do {
                try spawnZygote(place)
            } catch {
                failures.append((place, error))
            }
        }
        if zygotes.isEmpty, let first = failures.first { throw first.error }
        for failure in failures { missZygote(failure.place, failure.error) }
    }

    /// Returns after a stop, when all processes are gone.
    func run() {
        while true {
            do {
                let patienceEnds = dyingZygotes.values.map(\.due).min()
                let alarm = [shared.withState { $0.alarm }, orphans.nextTry, patienceEnds, stopsBy]
                    .compactMap { $0 }.min()
                for event in try poller.wait(until: alarm) { handle(event) }
            } catch {
                logger.critical("the pool cannot wait for its workers", metadata: ["error": "\(error)"])
                onFatal("the pool cannot wait for its workers: \(error)")
                break
            }
            lookAtDyingZygotes()
            update { state, now in state.tick(now: now) }
            orphans.reap(logger)
            if let stopsBy, stopsBy <= .now() || shared.withState({ $0.isQuiet }) { break }
        }
        endZygotes()
        for (number, handle) in handles { collect(number, handle, shared.withState { $0.chunk(of: number) }) }
        doErrands(isLast: true)
    }

    private func handle(_ event: Poller.Event) {
        switch Token(event.token) {
        case .signal:
            doErrands()
        case .zygote(let place):
            receiveReports(place)
        case .end(let place):
            look(place)
        case .pipe(let number, let stream):
            if let handle = handles[number] { readOutput(number, handle, stream) }
        case .socket(let number):
            guard let handle = handles[number], handle.isWatched else { return }
            if event.isWritable && handle.channel.flush() {
                handle.isSending = false
                watch(number, handle)
            }
            if event.isReadable || event.isClosed { read(number, handle) }
        }
    }

    private func doErrands(isLast: Bool = false) {
        let errands = shared.takeErrands(isLast: isLast)
        perform(errands.actions)
        for number in errands.unsent {
            guard let handle = handles[number], handle.isWatched else { continue }
            handle.isSending = true
            watch(number, handle)
        }
        if errands.isPaused != isPaused {
            isPaused = errands.isPaused
            for (number, handle) in handles where handle.isWatched { watch(number, handle) }
        }
        for reload in errands.reloads { perform(reload) }
        for question in errands.questions {
            let answer = snapshot()
            question.withLock { $0 = answer }
            question.notify()
        }
        if errands.isStopping && stopsBy == nil {
            stopsBy = .now() + PoolLoop.patience
            update { state, now in state.stop(now: now) }
        }
    }

    func update(_ change: (inout PoolState, MonotonicTime) -> [PoolState.Action]) {
        perform(shared.withState { change(&$0, .now()) })
    }

    /// The poller does not look at it any more.
    func leave(_ descriptor: Int32) {
        do {
            try poller.remove(descriptor)
        } catch {
            logger.error("a descriptor cannot be left alone", metadata: ["error": "\(error)"])
        }
    }

    private func snapshot() -> PoolSnapshot {
        let processes = zygotes.mapValues(\.processID)
        // What the handles say is looked up outside of the lock: it takes system calls.
        var looks: [UInt32: PoolState.Look] = [:]
        for (number, handle) in handles {
            let (chunk, process) = shared.withState { ($0.chunk(of: number), $0.process(of: number)) }
            looks[number] = PoolState.Look(
                running: handle.runningJob, finished: chunk.map(handle.finished) ?? 0,
                residentBytes: process.flatMap(ProcessStatus.residentBytes))
        }
        return shared.withState { [looks] state in
            state.snapshot(now: .now(), zygotes: processes) { looks[$0] ?? PoolState.Look() }
        }
    }
}
