import JobModel
import Platform

/// Whether jobs of a handler may be handed out now.
struct HandlerGate: Sendable {
    /// Jobs that may run at once, and therefore chunks, as a worker runs the jobs of a chunk one after the other; nil: as many
    /// as there are slots.
    var concurrency: Int?
    /// Whether anybody here can run it.
    var isRegistered = true
    /// Chunks that run or are being put together.
    var running = 0
    var unhealthy: Unhealthy?
    /// Until then jobs gather for a larger chunk.
    var gathersUntil: MonotonicTime?
    /// The handler's tracks, in the lanes of all queues.
    var tracks: [Int] = []

    init(concurrency: Int?) { self.concurrency = concurrency }

    var isOpen: Bool {
        isRegistered && unhealthy == nil && gathersUntil == nil && concurrency.map { running < $0 } ?? true
    }
}
