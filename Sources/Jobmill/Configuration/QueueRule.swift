import JobModel

/// A queue as the configuration file describes it: what is put in force at every start, and what it does not name stays as it is stored.
struct QueueRule: Hashable, Sendable {
    var name: String
    var change: QueueChange
}

extension QueueRule {
    /// Reads one entry of the section `queues:`; nil if it has no name. What is wrong is noted in the section.
    init?(name: String, _ section: ConfigurationSection) {
        guard NameRule.allows(name) else {
            section.complain("\"\(name)\" cannot be a name: that of a queue \(NameRule.sentence)")
            return nil
        }
        let isUnlimited = section.text("concurrency") == QueueChange.unlimited
        self.init(
            name: name,
            change: QueueChange(
                priority: section.integer("priority", in: QueueSettings.priorityRange),
                concurrency: isUnlimited
                    ? .unlimited
                    : section.integer("concurrency", in: QueueSettings.concurrencyRange).map { .atMost($0) },
                isPaused: section.boolean("paused")))
        section.finish()
    }
}
