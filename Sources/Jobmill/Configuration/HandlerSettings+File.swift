import JobModel
import PythonRuntime
import WorkerPool

// The `handlers:` section of the configuration file.

extension HandlerSettings {
    private static let aWeek = 604_800.0

    /// Reads one handler. What is wrong is noted in the section.
    init(name: String, _ section: ConfigurationSection) {
        if !NameRule.allows(name) { section.complain("\"\(name)\" cannot be a name: \(HandlerSettings.nameRule)") }
        self.init(name: name, runtime: HandlerSettings.runtime(section))
        folder = section.text("folder")
        environment = section.table("environment") ?? [:]
        checkEnvironment(section)
        limits = HandlerLimits(
            timeout: section.duration("timeout", from: 0.001, to: Self.aWeek),
            residentBytes: section.size("memory", from: 1 << 20, to: 1 << 50).map(Int64.init),
            cpuSeconds: section.duration("cpu", from: 1, to: Self.aWeek),
            openFiles: section.integer("open_files", in: 16...1_048_576),
            outputBytes: section.size("output", from: 1, to: PoolConfiguration.largestResult))
        for excess in SystemAllowance.current.excesses(of: limits) { section.complain(excess.sentence, of: excess.key) }
        concurrency = section.integer("concurrency", in: 1...1024)
        queue = section.text("queue")
        if let queue, !NameRule.allows(queue) {
            section.complain("\"\(queue)\" cannot be a name: that of a queue \(NameRule.sentence)", of: "queue")
        }
        maximumAttempts = section.integer("max_attempts", in: RetryPolicy.attemptsRange)
        if let part = section.section("backoff") { backoff = HandlerSettings.backoff(part) }
        if let part = section.section("recycle") { recycling = HandlerSettings.recycling(part) }
        section.finish()
    }

    /// Exactly one of the keys that say what runs.
    private static func runtime(_ section: ConfigurationSection) -> Runtime {
        let (python, lines, exec) = (section.text("python"), section.text("lines"), section.text("exec"))
        let compiledIn = section.boolean("compiled_in")
        let interpreter = section.text("interpreter")
        let initializer = section.text("initializer")
        let starmap = section.boolean("starmap")
        if python == nil {
            for key in ["interpreter", "initializer", "starmap"] where section.keys.contains(key) {
                section.complain("is only for a handler with python:", of: key)
            }
        }
        if let initializer, !PythonFunction.isPath(initializer) {
            section.complain(
                "\"\(initializer)\" cannot be a Python function: write its name alone", of: "initializer")
        }
        let unreadable = Runtime.unreadable(interpreter: interpreter)
        let chosen = ["python", "lines", "exec", "compiled_in"].filter(section.keys.contains)
        if chosen == ["compiled_in"] {
            for key in ["folder", "environment"] where section.keys.contains(key) {
                section.complain("is only for a handler with python:, lines: or exec:", of: key)
            }
        }
        guard chosen.count == 1 else {
            section.complain(
                chosen.isEmpty
                    ? "say what runs it: python: MODULE:FUNCTION, lines: COMMAND, exec: COMMAND or compiled_in: true"
                    : "choose one of \(chosen.joined(separator: ", "))")
            return unreadable
        }
        do throws(Complaint) {
            if let python {
                return .python(
                    PythonSettings(
                        function: try RuntimeText.python(python), interpreter: interpreter ?? "python3",
                        initializer: initializer, starmap: starmap ?? false))
            }
            if let lines { return .lines(try RuntimeText.command(lines)) }
            if let exec { return .exec(try RuntimeText.command(exec)) }
            if compiledIn == false { throw Complaint("can only be true; leave the handler out if it is not wanted") }
            return compiledIn == nil ? unreadable : .compiledIn
        } catch {
            section.complain(error.sentence, of: chosen[0])
            return unreadable
        }
    }

    private func checkEnvironment(_ section: ConfigurationSection) {
        for name in environment.keys.sorted() {
            if name.isEmpty || name.contains("=") || name.contains("\0") {
                section.complain("\"\(name)\" cannot be the name of an environment variable", of: "environment")
            } else if name.hasPrefix("JOBMILL_") {
                section.complain("\(name) is set by the service itself; choose another name", of: "environment")
            }
        }
    }

    private static func backoff(_ section: ConfigurationSection) -> Backoff {
        let usual = Backoff()
        let initial = section.duration("initial", from: 0, to: aWeek)
        let backoff = Backoff(
            initial: initial ?? usual.initial, factor: section.number("factor", in: 1...1000) ?? usual.factor,
            maximum: section.duration("max", from: 0, to: aWeek) ?? usual.maximum,
            jitter: section.number("jitter", in: 0...1) ?? usual.jitter)
        if let initial, initial > backoff.maximum {
            let (first, most) = (Measure.plain(initial), Measure.plain(backoff.maximum))
            section.complain(
                "is \(first) s, but no rest is longer than max, which is \(most) s; write a larger max or a smaller initial",
                of: "initial")
        }
        section.finish()
        return backoff
    }

    private static func recycling(_ section: ConfigurationSection) -> RecyclingPolicy {
        let policy = RecyclingPolicy(
            jobs: section.integer("jobs", in: 1...1_000_000_000),
            residentBytes: section.size("memory", from: 1 << 20, to: 1 << 50).map(Int64.init),
            age: section.duration("age", from: 1, to: aWeek))
        section.finish()
        return policy
    }
}
