import JSONBytes

/// A job as the service shows it, as lines for a person.
enum JobView {
    /// Nil if it is no job.
    static func lines(_ job: JSONValue) -> [String]? {
        guard let id = job["id"]?.string(), let handler = job["handler"]?.string(),
            let status = job["status"]?.string(), let payload = job["payload"]
        else { return nil }
        var rows = [("handler", handler), ("status", status), ("payload", shortened(payload))]
        if let result = job["result"] { rows.append(("result", shortened(result))) }
        if let error = job["error"] { rows.append(("error", reason(of: error))) }
        for attempt in job["attempts"]?.elements() ?? [] {
            let number = attempt["number"]?.integer().map(String.init) ?? "?"
            rows.append(("attempt \(number)", reason(of: attempt["error"])))
        }
        if let time = job["created_at"]?.string() { rows.append(("created", time)) }
        return Output.table(title: id, rows)
    }

    /// Kind and message of an error object on one line.
    static func reason(of error: JSONValue?) -> String {
        let kind = error?["kind"]?.string() ?? "unknown"
        let message = error?["message"]?.string() ?? "no message"
        return Output.printable("\(kind): \(message)")
    }

    private static let maximumBytes = 200

    private static func shortened(_ value: JSONValue) -> String {
        let isLong = value.bytes.count > maximumBytes
        return String(decoding: value.bytes.prefix(maximumBytes), as: UTF8.self) + (isLong ? "…" : "")
    }
}
