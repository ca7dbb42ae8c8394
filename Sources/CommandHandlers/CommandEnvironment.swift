import JobModel
import Platform
import WorkerKit

/// The environment that commands get: the service's without its settings and its secret, what the specification adds, and what tells of the job. Nothing
/// of a request's content is in it.
enum CommandEnvironment {
    /// What only Jobmill sets.
    private static let reserved: Set<String> = [
        "JOBMILL_HANDLER", "JOBMILL_JOB", "JOBMILL_BATCH", "JOBMILL_INDEX", "JOBMILL_ATTEMPT", "JOBMILL_DEADLINE",
        "JOBMILL_SHARED_FILE", "TRACEPARENT",
    ]
    private static let settings = "JOBMILL_"
    /// By which the pool finds what a crash of the fork server has left behind.
    private static let mark = "JOBMILL_ZYGOTE"

    static func check(_ variable: String, _ value: String) throws(CommandError) {
        guard !variable.isEmpty, !variable.contains("="), !variable.contains("\0") else {
            throw CommandError("\"\(variable)\" cannot be the name of an environment variable")
        }
        guard !value.contains("\0") else { throw CommandError("the value of \(variable) holds a NUL character") }
        guard !reserved.contains(variable) else { throw CommandError("\(variable) is set by Jobmill itself") }
    }

    /// What all processes of a command have in common, as `NAME=value`.
    static func common(_ specification: CommandSpecification, of process: [String: String]) -> [String] {
        let inherited = process.filter { name, _ in
            name == mark || !name.hasPrefix(settings) && !reserved.contains(name)
        }
        let all = inherited.merging(specification.environment) { _, own in own }
        return all.map { "\($0.key)=\($0.value)" } + ["JOBMILL_HANDLER=\(specification.name)"]
    }

    /// What tells a process of its one job.
    /// - Parameter sharedFile: where its batch's shared value is.
    static func of(_ job: JobContext, sharedFile: String? = nil) -> [String] {
        var variables = [
            "JOBMILL_JOB=\(job.jobID)", "JOBMILL_BATCH=\(job.batchID)", "JOBMILL_INDEX=\(job.index)",
            "JOBMILL_ATTEMPT=\(job.attempt)",
        ]
        if let seconds = job.remainingSeconds {
            let now = Timestamp(microseconds: WallClock.microseconds())
            variables.append("JOBMILL_DEADLINE=\(now.advanced(bySeconds: seconds))")
        }
        if let sharedFile { variables.append("JOBMILL_SHARED_FILE=\(sharedFile)") }
        if let traceparent = job.traceparent { variables.append("TRACEPARENT=\(traceparent)") }
        return variables
    }
}
