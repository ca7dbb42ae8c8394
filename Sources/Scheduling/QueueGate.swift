import JobModel

/// Whether jobs of a queue may be handed out now.
struct QueueGate: Sendable {
    let name: String
    var settings = QueueSettings()
    /// Chunks of it that run or are being put together; each of them runs one job at a time.
    var running = 0
    /// Its lanes, one for each priority of batches.
    var lanes: [Int] = []

    init(name: String) { self.name = name }

    /// Chunks that may run at once.
    var limit: Int { settings.isPaused ? 0 : settings.concurrency ?? .max }
    var isOpen: Bool { running < limit }
}
