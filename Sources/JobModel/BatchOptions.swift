/// What a client may choose for a batch besides its handler and its jobs.
package struct BatchOptions: Hashable, Sendable {
    /// The queue that the batch waits in.
    package var queue: String
    /// Among queues of equal priority, batches of a higher priority are served first. From -100 to 100.
    package var priority: Int
    package var chunkSize: ChunkSize
    package var retries: RetryPolicy
    /// Seconds that one job may run; nil: as long as the server allows.
    package var timeout: Double?
    package var callback: Callback?
    /// JSON text that Jobmill keeps and hands back, or nil.
    package var metadata: [UInt8]?
    /// The W3C trace context of the request that submitted the batch, handed on to its jobs.
    package var traceparent: String?

    package init(
        queue: String = QueueSettings.defaultName, priority: Int = 0, chunkSize: ChunkSize = .automatic,
        retries: RetryPolicy = RetryPolicy(), timeout: Double? = nil, callback: Callback? = nil,
        metadata: [UInt8]? = nil,
        traceparent: String? = nil
    ) {
        self.queue = queue
        self.priority = priority
        self.chunkSize = chunkSize
        self.retries = retries
        self.timeout = timeout
        self.callback = callback
        self.metadata = metadata
        self.traceparent = traceparent
    }

    package static let priorityRange = -100...100
}

/// How many jobs a worker gets at once.
package enum ChunkSize: Hashable, Sendable {
    /// Adapts to how long the handler's jobs take.
    case automatic
    /// The default of Python's `Pool.map`: jobs / (4 × workers), rounded up.
    case python
    case exactly(Int)
}

/// Where to say that a batch ended.
package struct Callback: Hashable, Sendable {
    /// Absolute, `http` or `https`.
    package var url: String
    /// Which events to send; so far only `batch.completed`.
    package var events: [String]
    /// Of this callback alone, `whsec_…`; nil: the server's.
    package var secret: String?

    package init(url: String, events: [String] = ["batch.completed"], secret: String? = nil) {
        self.url = url
        self.events = events
        self.secret = secret
    }
}
