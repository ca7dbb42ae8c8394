import JobModel
import PythonRuntime

/// A handler as a flag or the configuration file describes it.
struct HandlerSettings: Hashable, Sendable {
    /// What runs it.
    enum Runtime: Hashable, Sendable {
        /// Compiled into this program: only its rules are set.
        case compiledIn
        /// `python:MODULE:FUNCTION`.
        case python(PythonSettings)
        /// `lines:COMMAND`, split like a shell does.
        case lines([String])
        /// `exec:COMMAND`, split like a shell does.
        case exec([String])
        /// What is said of it cannot be used, which was reported. What stands beside it is looked at all the same.
        case unreadable(interpreter: String?)
    }

    struct PythonSettings: Hashable, Sendable {
        var function: PythonFunction
        /// Path or name of the interpreter.
        var interpreter = "python3"
        /// A function of the module that each worker calls once.
        var initializer: String?
        /// Whether a payload's elements or members become the function's arguments.
        var starmap = false
    }

    var name: String
    var runtime: Runtime
    /// Where it runs; nil: where the service runs.
    var folder: String?
    /// Added to the service's own environment.
    var environment: [String: String] = [:]
    var limits = HandlerLimits()
    var recycling = RecyclingPolicy()
    /// Jobs that may run at once.
    var concurrency: Int?
    /// The queue of batches that name none; nil: the default one.
    var queue: String?
    /// For batches that do not say.
    var maximumAttempts: Int?
    var backoff: Backoff?

    var profile: HandlerProfile {
        HandlerProfile(name: name, limits: limits, recycling: recycling, concurrency: concurrency)
    }

    static let nameRule = "that of a handler \(NameRule.sentence)"
}
