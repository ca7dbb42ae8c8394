/// One thing that is wrong with a configuration, and what to write instead.
struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    var place: Place
    /// A sentence that says what to write instead.
    var message: String

    init(_ place: Place, _ message: String) {
        self.place = place
        self.message = message
    }

    init(source: String, _ message: String) { self.init(Place(source: source), message) }

    /// Such as `jobmill.yaml:12: handlers.blur.timeout: must be …`.
    var description: String {
        [place.line.map { "\(place.source):\($0)" } ?? place.source, place.key, message].compactMap(\.self)
            .joined(separator: ": ")
    }
}

/// Everything that is wrong, in the order of the file.
struct ConfigurationError: Error, Hashable {
    var problems: [ConfigurationProblem]
}

/// Gathers what is wrong with all sources of a configuration, so that a person hears of everything at once.
final class ConfigurationReport {
    private(set) var problems: [ConfigurationProblem] = []

    func add(_ problem: ConfigurationProblem) { problems.append(problem) }

    func add(_ place: Place, _ message: String) { add(ConfigurationProblem(place, message)) }

    /// Notes what an action complains of.
    /// - Returns: nil if it did.
    func gather<Value>(_ action: () throws(ConfigurationError) -> Value) -> Value? {
        do throws(ConfigurationError) {
            return try action()
        } catch {
            problems += error.problems
            return nil
        }
    }

    /// Whether something is wrong with one of these settings, so that nobody knows what they say.
    func concerns(_ keys: [String]) -> Bool { problems.contains { $0.place.key.map(keys.contains) ?? false } }

    func throwIfAny() throws(ConfigurationError) {
        if !problems.isEmpty { throw error }
    }

    /// Flags and variables first, then line by line.
    var error: ConfigurationError {
        let lines = problems.enumerated().map { (line: $1.place.line ?? 0, order: $0, problem: $1) }
        return ConfigurationError(problems: lines.sorted { ($0.line, $0.order) < ($1.line, $1.order) }.map(\.problem))
    }
}
