import Foundation
import JSONBytes

/// The pool as the service shows it, as lines for a person.
enum PoolView {
    /// Nil if it is no pool.
    static func lines(_ pool: JSONValue) -> [String]? {
        guard let size = pool["size"]?.integer(), let workers = pool["workers"]?.elements(),
            let runtimes = pool["runtimes"]?.elements()
        else { return nil }
        var lines = ["size \(size), \(workers.count) \(workers.count == 1 ? "worker" : "workers")"]
        for runtime in runtimes {
            let name = runtime["name"]?.string() ?? "?"
            let state = runtime["state"]?.string() ?? "?"
            let reason = runtime["reason"]?.string().map { ": \($0)" } ?? ""
            lines.append("runtime \(name)  \(state)\(reason)")
        }
        let heading = ["PID", "RUNTIME", "STATE", "SINCE", "JOBS", "MEMORY", "AGE", "JOB"]
        if !workers.isEmpty { lines += Output.columns([heading] + workers.map(row)) }
        return lines.map(Output.printable)
    }

    private static func row(_ worker: JSONValue) -> [String] {
        let job = worker["job"]?.string() ?? worker["handler"]?.string() ?? ""
        return [
            worker["pid"]?.integer().map(String.init) ?? "-", worker["runtime"]?.string() ?? "?",
            worker["state"]?.string() ?? "?", seconds(worker["since"]),
            worker["jobs"]?.integer().map(String.init) ?? "?", size(worker["resident_bytes"]), seconds(worker["age"]),
            job,
        ]
    }

    private static func seconds(_ value: JSONValue?) -> String {
        guard let seconds = value?.double() else { return "-" }
        return seconds < 100 ? String(format: "%.1f s", seconds) : "\(Int(min(seconds, 1e15))) s"
    }

    private static func size(_ value: JSONValue?) -> String {
        guard let bytes = value?.integer() else { return "-" }
        return "\(bytes >> 20) MiB"
    }
}
