import JobModel

/// A queue as the configuration file describes it: what is put in force at every start, and what it does not name stays as it is stored.
struct QueueRule: Hashable, Sendable {
    var name: String
    var change: QueueChange
}

extension QueueRule {
    /// Reads one entry of the section `queues:`. What is wrong is noted in the section.
    init(name: String, _ section: ConfigurationSection) {
        if !NameRule.allows(name) {
            section.complain("\"\(name)\" cannot be a name: that of a queue \(NameRule.sentence)")
        }
        let (key, unlimited) = ("concurrency", QueueChange.unlimited)
        let range = QueueSettings.concurrencyRange
        self.init(
            name: name,
            change: QueueChange(
                priority: section.integer("priority", in: QueueSettings.priorityRange),
                concurrency: section.says(unlimited, at: key)
                    ? .unlimited : section.integer(key, in: range, orWord: unlimited).map { .atMost($0) },
                isPaused: section.boolean("paused")))
        section.finish()
    }
}
