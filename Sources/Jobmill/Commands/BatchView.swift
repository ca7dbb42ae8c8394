import JSONBytes

/// A batch as the service shows it, as far as a person wants to know.
struct BatchView: Equatable {
    struct Counts: Equatable {
        var total = 0
        var pending = 0
        var running = 0
        var succeeded = 0
        var failed = 0
        var cancelled = 0
        var expired = 0

        var finished: Int { succeeded + failed + cancelled + expired }
    }

    var id: String
    var handler: String
    var queue: String?
    var status: String
    var counts: Counts
    /// Sums of the jobs' own counters, by name.
    var counters: [Counter]
    /// Those that have passed, in order.
    var times: [Time]

    struct Counter: Equatable {
        var name: String
        var sum: Int
    }

    struct Time: Equatable {
        var name: String
        var text: String
    }

    /// Nil if it is no batch.
    init?(_ value: JSONValue) {
        guard let id = value["id"]?.string(), let handler = value["handler"]?.string(),
            let status = value["status"]?.string(), let counts = value["counts"], let total = counts["total"]?.integer()
        else { return nil }
        self.id = id
        self.handler = handler
        queue = value["queue"]?.string()
        self.status = status
        func count(_ name: String) -> Int { counts[name]?.integer() ?? 0 }
        self.counts = Counts(
            total: total, pending: count("pending"), running: count("running"), succeeded: count("succeeded"),
            failed: count("failed"), cancelled: count("cancelled"), expired: count("expired"))
        counters = (value["counters"]?.members() ?? []).compactMap { name, sum in
            sum.integer().map { Counter(name: name, sum: $0) }
        }
        times = [("created_at", "created"), ("started_at", "started"), ("finished_at", "finished")]
            .compactMap { key, name in value[key]?.string().map { Time(name: name, text: $0) } }
    }

    init(answer: JSON) throws(ClientFailure) {
        guard let view = BatchView(answer.value) else { throw .unexpectedAnswer("batch") }
        self = view
    }

    /// Every job has its outcome.
    var isFinished: Bool { ["completed", "cancelled", "expired"].contains(status) }

    var allSucceeded: Bool { counts.succeeded == counts.total }

    /// Such as `24 succeeded, 1 failed`; what is zero is left out.
    var tally: String {
        let parts = [
            (counts.succeeded, "succeeded"), (counts.failed, "failed"), (counts.cancelled, "cancelled"),
            (counts.expired, "expired"), (counts.running, "running"), (counts.pending, "pending"),
        ]
        let text = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return text.isEmpty ? "none" : text
    }

    var summary: String { Output.printable("\(id) \(status): \(tally)") }

    var lines: [String] {
        let rows =
            [("handler", handler)] + (queue.map { [("queue", $0)] } ?? []) + [
                ("status", status), ("jobs", "\(counts.total): \(tally)"),
            ]
            + counters.map { ($0.name, "\($0.sum)") }
            + times.map { ($0.name, $0.text) }
        return Output.table(title: id, rows)
    }
}

extension Output {
    /// A title, then names and values in two columns.
    static func table(title: String, _ rows: [(String, String)]) -> [String] {
        let width = rows.map(\.0.count).max() ?? 0
        let lines = rows.map { name, value in
            "  \(name)\(String(repeating: " ", count: width - name.count))  \(value)"
        }
        return ([title] + lines).map(printable)
    }
}
