package import JobModel

/// A queue and how it is served.
package struct QueueRecord: Sendable, Hashable {
    package var name: String
    package var settings: QueueSettings

    package init(name: String, settings: QueueSettings = QueueSettings()) {
        self.name = name
        self.settings = settings
    }
}

/// A queue with what is left to do in it.
package struct QueueOverview: Sendable, Hashable {
    package var record: QueueRecord
    package var backlog: QueueBacklog

    package init(record: QueueRecord, backlog: QueueBacklog) {
        self.record = record
        self.backlog = backlog
    }
}

/// What is left to do in a queue. Counting ends after `maximumCounted` batches, so that it costs little however many there are.
package struct QueueBacklog: Sendable, Hashable {
    package static let maximumCounted = 5000

    /// Unfinished ones.
    package var batches: Int
    /// Without an outcome, those that run included.
    package var jobs: Int
    /// There are more than were counted.
    package var hasMore: Bool

    package init(batches: Int = 0, jobs: Int = 0, hasMore: Bool = false) {
        self.batches = batches
        self.jobs = jobs
        self.hasMore = hasMore
    }
}

/// Batches of one queue and one priority: the unit in which unfinished batches are found.
package struct WorkLane: Sendable, Hashable {
    package var queue: String
    package var priority: Int

    package init(queue: String = QueueSettings.defaultName, priority: Int) {
        self.queue = queue
        self.priority = priority
    }
}

extension WorkLane {
    package init(_ options: BatchOptions) { self.init(queue: options.queue, priority: options.priority) }
}
