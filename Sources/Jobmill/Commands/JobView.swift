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
        if let progress = job["progress"].flatMap(progress) { rows.append(("progress", progress)) }
        for attempt in job["attempts"]?.elements() ?? [] {
            let number = attempt["number"]?.integer().map(String.init) ?? "?"
            rows.append(("attempt \(number)", reason(of: attempt["error"])))
            if let certificate = certificate(of: attempt["error"]) { rows.append(("", certificate)) }
        }
        if let time = job["created_at"]?.string() { rows.append(("created", time)) }
        return Output.table(title: id, rows) + logs(of: job)
    }

    /// Such as `50 %, half of it`; nil if the job said nothing.
    private static func progress(_ progress: JSONValue) -> String? {
        // Of a fraction that a service sent, whatever it is.
        let percent = progress["fraction"]?.double().map { "\(Int(max(0, min(1, $0)) * 100)) %" }
        let parts = [percent, progress["message"]?.string()].compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// How the worker died, on one line, and the end of what it printed.
    private static func certificate(of error: JSONValue?) -> String? {
        guard let certificate = error?["certificate"] else { return nil }
        var parts: [String] = []
        if let pid = certificate["pid"]?.integer() { parts.append("pid \(pid)") }
        if let code = error?["exit_code"]?.integer() { parts.append("exit code \(code)") }
        if let signal = error?["signal"]?.string() { parts.append(signal) }
        for (key, unit) in [("wall_seconds", "s"), ("cpu_seconds", "s of CPU")] {
            if let seconds = certificate[key]?.double() {
                parts.append("\(Double(Int(min(seconds, 1e12) * 1000)) / 1000) \(unit)")
            }
        }
        if let bytes = certificate["peak_resident_bytes"]?.integer() { parts.append("\(bytes >> 20) MiB") }
        let lastLine = certificate["stderr"]?.string()?.split(whereSeparator: \.isNewline).last
        if let lastLine { parts.append("said: \(lastLine)") }
        return parts.joined(separator: ", ")
    }

    /// A line for each line of the job.
    private static func logs(of job: JSONValue) -> [String] {
        let lines = (job["logs"]?.elements() ?? []).map { line in
            let parts = ["time", "source", "text"].compactMap { line[$0]?.string() }
            return Output.printable("  \(parts.joined(separator: "  "))")
        }
        let dropped = job["logs_dropped"]?.integer() ?? 0
        return lines + (dropped > 0 ? ["  and \(dropped) more lines that were not kept"] : [])
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
