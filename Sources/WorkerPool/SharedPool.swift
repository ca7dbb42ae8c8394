import JobModel
import Platform
import Synchronization
import WorkerKit

/// What the pool's thread and its callers share.
final class SharedPool: Sendable {
    private struct Content {
        var state: PoolState
        var channels: [UInt32: WorkerChannel] = [:]
        /// What a caller's change entails and only the pool's thread can do.
        var deferred: [PoolState.Action] = []
        /// Workers whose chunk has not left completely.
        var unsent: [UInt32] = []
        var isStopping = false
    }

    private let content: Mutex<Content>
    private let signal: EventSignal

    init(_ configuration: PoolConfiguration) throws(SystemError) {
        let state = PoolState(slots: configuration.slots, gracePeriod: configuration.gracePeriod, now: .now())
        content = Mutex(Content(state: state))
        signal = try EventSignal()
    }

    /// Wakes the pool's thread.
    var fileDescriptor: Int32 { signal.fileDescriptor }

    var availableSlots: Int { content.withLock { $0.state.availableSlots } }

    // MARK: From any thread

    /// Changes the state, sends chunks at once and leaves everything else to the pool's thread.
    func update(_ change: (inout PoolState, MonotonicTime) -> [PoolState.Action]) {
        let now = MonotonicTime.now()
        var frames: [(worker: UInt32, channel: WorkerChannel, chunk: Chunk)] = []
        var isWakeNeeded = false
        content.withLock { content in
            for action in change(&content.state, now) {
                if case .send(let worker, let chunk) = action {
                    if let channel = content.channels[worker] { frames.append((worker, channel, chunk)) }
                } else {
                    content.deferred.append(action)
                    isWakeNeeded = true
                }
            }
        }
        for frame in frames where !frame.channel.send(ChunkFrame.encode(frame.chunk)) {
            content.withLock { $0.unsent.append(frame.worker) }
            isWakeNeeded = true
        }
        if isWakeNeeded { signal.signal() }
    }

    func stop() {
        content.withLock { $0.isStopping = true }
        signal.signal()
    }

    // MARK: From the pool's thread

    struct Errands {
        var actions: [PoolState.Action]
        var unsent: [UInt32]
        var isStopping: Bool
    }

    /// What callers left to do.
    func takeErrands() -> Errands {
        signal.drain()
        return content.withLock { content in
            defer {
                content.deferred = []
                content.unsent = []
            }
            return Errands(actions: content.deferred, unsent: content.unsent, isStopping: content.isStopping)
        }
    }

    func withState<Result: Sendable>(_ body: (inout PoolState) -> Result) -> Result {
        content.withLock { body(&$0.state) }
    }

    func setChannel(_ channel: WorkerChannel?, of worker: UInt32) {
        content.withLock { $0.channels[worker] = channel }
    }
}
