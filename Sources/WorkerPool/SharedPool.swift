import JobModel
import Platform
import Synchronization
import WorkerKit

/// What the pool's thread and its callers share.
final class SharedPool: Sendable {
    /// Runtimes that are to replace all others.
    struct Reload: Sendable {
        let runtimes: [RuntimeDefinition]
        let generation: Int
    }

    private struct Content {
        var state: PoolState
        var channels: [UInt32: WorkerChannel] = [:]
        /// What a caller's change entails and only the pool's thread can do.
        var deferred: [PoolState.Action] = []
        /// Workers whose chunk has not left completely.
        var unsent: [UInt32] = []
        /// Who waits for a snapshot.
        var questions: [Monitor<PoolSnapshot?>] = []
        var reloads: [Reload] = []
        var isPaused = false
        var isStopping = false
        var hasEnded = false
    }

    private let content: Mutex<Content>
    private let signal: EventSignal
    private let maximumResultBytes: Int

    init(_ configuration: PoolConfiguration) throws(SystemError) {
        let state = PoolState(
            slots: configuration.slots ?? CPUAllowance.current(),
            runtimes: configuration.runtimes.enumerated().map { $1.rules(definition: $0) },
            gracePeriod: configuration.gracePeriod, followsAllowance: configuration.slots == nil, now: .now())
        content = Mutex(Content(state: state))
        signal = try EventSignal()
        maximumResultBytes = configuration.maximumResultBytes
    }

    /// Wakes the pool's thread.
    var fileDescriptor: Int32 { signal.fileDescriptor }

    var availableSlots: Int { content.withLock { $0.state.availableSlots } }

    // MARK: From any thread

    /// Changes the state, sends chunks at once and leaves everything else to the pool's thread.
    func update(_ change: (inout PoolState, MonotonicTime) -> [PoolState.Action]) {
        let now = MonotonicTime.now()
        var sendings: [(worker: UInt32, channel: WorkerChannel, assignment: PoolState.Assignment)] = []
        var isWakeNeeded = false
        content.withLock { content in
            for action in change(&content.state, now) {
                if case .send(let worker, let assignment) = action {
                    if let channel = content.channels[worker] { sendings.append((worker, channel, assignment)) }
                } else {
                    content.deferred.append(action)
                    isWakeNeeded = true
                }
            }
        }
        for sending in sendings where !sending.channel.send(bytes(of: sending.assignment)) {
            content.withLock { $0.unsent.append(sending.worker) }
            isWakeNeeded = true
        }
        if isWakeNeeded { signal.signal() }
    }

    /// What a worker gets for a chunk: the shared value first, if it does not hold it.
    func bytes(of assignment: PoolState.Assignment) -> [UInt8] {
        let (chunk, limits) = (assignment.chunk, assignment.limits)
        let frame = ServerFrame.encode(
            chunk,
            ChunkLimits(
                timeout: chunk.timeout, cpuSeconds: limits.cpuSeconds, openFiles: limits.openFiles,
                maximumResultBytes: min(limits.outputBytes ?? maximumResultBytes, maximumResultBytes)))
        guard assignment.sendsShared, let shared = chunk.shared else { return frame }
        return ServerFrame.encode(shared) + frame
    }

    func setPaused(_ isPaused: Bool) {
        content.withLock { $0.isPaused = isPaused }
        signal.signal()
    }

    func reload(_ reload: Reload) {
        content.withLock { $0.reloads.append(reload) }
        signal.signal()
    }

    func stop() {
        content.withLock { $0.isStopping = true }
        signal.signal()
    }

    /// Asks the pool's thread, which alone can look at the workers, and waits for its answer.
    func snapshot() -> PoolSnapshot {
        let question = Monitor<PoolSnapshot?>(nil)
        let last = content.withLock { content -> PoolSnapshot? in
            if content.hasEnded { return content.state.snapshot(now: .now(), zygotes: [:]) { _ in .init() } }
            content.questions.append(question)
            return nil
        }
        if let last { return last }
        signal.signal()
        return question.wait { answer in answer.map { .done($0) } ?? .sleep(until: nil) }
    }

    // MARK: From the pool's thread

    struct Errands {
        var actions: [PoolState.Action]
        var unsent: [UInt32]
        var questions: [Monitor<PoolSnapshot?>]
        var reloads: [Reload]
        var isPaused: Bool
        var isStopping: Bool
    }

    /// What callers left to do.
    /// - Parameter isLast: nobody will come back for more.
    func takeErrands(isLast: Bool = false) -> Errands {
        signal.drain()
        return content.withLock { content in
            defer {
                content.deferred = []
                content.unsent = []
                content.questions = []
                content.reloads = []
            }
            content.hasEnded = isLast
            return Errands(
                actions: content.deferred, unsent: content.unsent, questions: content.questions,
                reloads: content.reloads, isPaused: content.isPaused, isStopping: content.isStopping)
        }
    }

    func withState<Result: Sendable>(_ body: (inout PoolState) -> Result) -> Result {
        content.withLock { body(&$0.state) }
    }

    func setChannel(_ channel: WorkerChannel?, of worker: UInt32) {
        content.withLock { $0.channels[worker] = channel }
    }
}
