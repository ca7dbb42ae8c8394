import JSONBytes
import JobModel

/// Queues as the service shows them, as rows for a person.
enum QueueView {
    /// Of a page of the list; nil if it is none.
    static func rows(_ page: JSONValue) -> [[String]]? {
        guard let queues = page["queues"]?.elements() else { return nil }
        let rows = queues.compactMap(row)
        return rows.count == queues.count ? rows : nil
    }

    /// Nil if it is no queue.
    static func row(_ queue: JSONValue) -> [String]? {
        guard let name = queue["name"]?.string(), let priority = queue["priority"]?.integer(),
            let isPaused = queue["paused"]?.boolean(), let counts = queue["counts"]
        else { return nil }
        // There are more than were counted.
        let more = counts["more"]?.boolean() == true ? "+" : ""
        func count(_ key: String) -> String { counts[key]?.integer().map(String.init) ?? "?" }
        return [
            name, isPaused ? "paused" : "open", String(priority),
            queue["concurrency"]?.integer().map(String.init) ?? QueueChange.unlimited, count("batches") + more,
            count("jobs") + more, count("running"),
        ]
    }

    static func table(_ rows: [[String]]) -> [String] {
        let heading = ["QUEUE", "STATE", "PRIORITY", "CONCURRENCY", "BATCHES", "JOBS", "RUNNING"]
        return Output.columns([heading] + rows).map(Output.printable)
    }
}
