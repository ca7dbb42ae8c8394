/// What may be a name that requests and files choose: of a handler, of a queue.
package enum NameRule {
    package static let maximumBytes = 64

    /// 1 to 64 letters, digits, `_`, `-` and `.`, the first one no `.`.
    package static func allows(_ name: String) -> Bool {
        (1...maximumBytes).contains(name.utf8.count) && name.first != "."
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// As the rest of a sentence.
    package static let sentence = "has 1 to 64 letters, digits, \"_\", \"-\" and \".\", and does not begin with \".\""
}

/// How a queue is served. One that nobody has set up is served like this without saying so.
package struct QueueSettings: Hashable, Sendable {
    /// Of a batch that names no queue, and whose handler has none of its own.
    package static let defaultName = "default"
    package static let priorityRange = BatchOptions.priorityRange
    package static let concurrencyRange = 1...1024

    /// Queues of a higher priority go first, whatever the priorities of the batches in them.
    package var priority: Int
    /// Jobs of it that may run at once, of all handlers and in all workers together; nil: as many as there are workers.
    package var concurrency: Int?
    /// Nothing of it is started; what runs goes on.
    package var isPaused: Bool

    package init(priority: Int = 0, concurrency: Int? = nil, isPaused: Bool = false) {
        self.priority = priority
        self.concurrency = concurrency
        self.isPaused = isPaused
    }
}

/// What is to become different; nil stays as it is.
package struct QueueChange: Hashable, Sendable {
    package enum Concurrency: Hashable, Sendable {
        case unlimited
        case atMost(Int)
    }

    /// How a person says that there is no limit.
    package static let unlimited = "unlimited"

    package var priority: Int?
    package var concurrency: Concurrency?
    package var isPaused: Bool?

    package init(priority: Int? = nil, concurrency: Concurrency? = nil, isPaused: Bool? = nil) {
        self.priority = priority
        self.concurrency = concurrency
        self.isPaused = isPaused
    }

    package func applied(to settings: QueueSettings) -> QueueSettings {
        var settings = settings
        if let priority { settings.priority = priority }
        switch concurrency {
        case nil: break
        case .unlimited: settings.concurrency = nil
        case .atMost(let limit): settings.concurrency = limit
        }
        if let isPaused { settings.isPaused = isPaused }
        return settings
    }
}

extension QueueChange: CustomStringConvertible {
    /// As the configuration file says it, in words for a person.
    package var description: String {
        var parts: [String] = []
        if let priority { parts.append("priority: \(priority)") }
        switch concurrency {
        case nil: break
        case .unlimited: parts.append("concurrency: \(QueueChange.unlimited)")
        case .atMost(let limit): parts.append("concurrency: \(limit)")
        }
        if let isPaused { parts.append("paused: \(isPaused)") }
        return parts.isEmpty ? "stays as it is" : parts.joined(separator: ", ")
    }
}
