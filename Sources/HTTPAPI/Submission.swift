import JSONBytes
import JobModel
import JobStore
import Synchronization

/// What a request wants done, checked and cut into segments.
struct Submission: Sendable {
    var handler: String
    var options: BatchOptions
    /// JSON text of the value that all jobs share.
    var shared: [UInt8]?
    var segments: [Segment]
}

/// The handlers that submissions may name.
private struct KnownHandlers: Sendable {
    /// Sorted.
    let names: [String]
    let rules: [String: HandlerDescription]

    init(_ handlers: [HandlerDescription]) {
        names = handlers.map(\.name).sorted()
        rules = Dictionary(handlers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

/// Makes submissions of the bodies of requests, or says everything that is wrong with them.
final class SubmissionReader: Sendable {
    /// Where the work stands in a submission's body.
    enum Work: String {
        /// An array of payloads.
        case jobs
        /// One.
        case payload
    }

    let limits: APILimits
    private let known: Mutex<KnownHandlers>
    let defaultTimeout: Double?
    let callbackURLProblem: @Sendable (String) -> String?
    let secretProblem: @Sendable (String) -> String?

    init(_ configuration: APIConfiguration) {
        limits = configuration.limits
        known = Mutex(KnownHandlers(configuration.handlers()))
        defaultTimeout = configuration.defaultTimeout
        callbackURLProblem = configuration.callbackURLProblem
        secretProblem = configuration.secretProblem
    }

    /// From now on submissions may name these handlers.
    func setHandlers(_ handlers: [HandlerDescription]) { known.withLock { $0 = KnownHandlers(handlers) } }

    /// In the order in which they are listed.
    var handlers: [String] { known.withLock { $0.names } }

    func knows(_ handler: String) -> Bool { rules(of: handler) != nil }

    private func rules(of handler: String) -> HandlerDescription? { known.withLock { $0.rules[handler] } }

    /// Of batches of a handler that name none.
    func queue(of handler: String) -> String { rules(of: handler)?.queue ?? QueueSettings.defaultName }

    /// `{"handler": …, "jobs": […], …}` or `{"handler": …, "payload": …, …}`.
    func submission(_ body: [UInt8], of work: Work) throws(Problem) -> Submission {
        let document = try cutJSON(body)
        var errors = FieldErrors()
        var handler: String?
        var segments: [Segment]?
        var shared: [UInt8]?
        var options = OptionsReader(reader: self)
        var fields = Fields(of: document.json.value, at: "", &errors)
        while let (name, value) = fields.next(&errors) {
            switch name {
            case "handler": handler = self.handler(value, &errors)
            case work.rawValue:
                segments =
                    switch work {
                    case .jobs: self.segments(of: value, in: document, at: "/jobs", &errors)
                    case .payload: segment(of: value, &errors).map { [$0] }
                    }
            case "shared" where work == .jobs: shared = self.shared(value, &errors)
            default:
                if !options.read(name, value, &errors) { fields.refuse(name, &errors) }
            }
        }
        fields.require(["handler", work.rawValue], &errors)
        guard errors.isEmpty, let handler, let segments else {
            throw .invalid(errors, knownHandlers: handlers)
        }
        if let rules = rules(of: handler) { options.fillGaps(from: rules) }
        return Submission(handler: handler, options: options.options, shared: shared, segments: segments)
    }

    /// `[…]`, the payloads alone.
    func payloads(_ body: [UInt8]) throws(Problem) -> [Segment] {
        let document = try cutJSON(body)
        var errors = FieldErrors()
        guard let segments = segments(of: document.json.value, in: document, at: "", &errors) else {
            throw .invalid(errors)
        }
        return segments
    }

    func json(_ body: [UInt8]) throws(Problem) -> JSON {
        do throws(JSONSyntaxError) {
            return try JSON(validating: body, maximumDepth: limits.maximumDepth)
        } catch {
            throw .invalidJSON(error, in: body)
        }
    }

    /// What holds a long array of payloads.
    private func cutJSON(_ body: [UInt8]) throws(Problem) -> CutJSON {
        do throws(JSONSyntaxError) {
            return try CutJSON(
                validating: body, maximumDepth: limits.maximumDepth,
                limits: RunLimits(maximumCount: Segment.maximumCount, maximumBytes: Segment.targetBytes))
        } catch {
            throw .invalidJSON(error, in: body)
        }
    }

    private func handler(_ value: JSONValue, _ errors: inout FieldErrors) -> String? {
        let place = FieldError.Place.pointer("/handler")
        guard let name = value.string() else {
            errors.add(place, "must be a string")
            return nil
        }
        guard knows(name) else {
            errors.addUnknownHandler(name, at: place)
            return nil
        }
        return name
    }

    /// `null` shares nothing.
    private func shared(_ value: JSONValue, _ errors: inout FieldErrors) -> [UInt8]? {
        if value.kind == .null { return nil }
        guard value.range.count <= limits.maximumSharedBytes else {
            errors.add(.pointer("/shared"), "must have at most \(limits.maximumSharedBytes) bytes")
            return nil
        }
        return Array(value.bytes)
    }

    private func segment(of payload: JSONValue, _ errors: inout FieldErrors) -> Segment? {
        guard payload.range.count <= limits.maximumPayloadBytes else {
            errors.add(.pointer("/payload"), tooLarge)
            return nil
        }
        return Segment(first: 0, count: 1, input: Array(payload.bytes))
    }

    /// Nil and an error more if the value is no array of payloads that are allowed.
    private func segments(
        of value: JSONValue, in document: CutJSON, at pointer: String, _ errors: inout FieldErrors
    ) -> [Segment]? {
        guard value.kind == .array else {
            errors.add(.pointer(pointer), "must be an array of payloads")
            return nil
        }
        let runs = document.runs(of: value)
        guard let last = runs.last else {
            errors.add(.pointer(pointer), "must hold at least one job")
            return nil
        }
        let total = last.first + last.count
        guard total <= limits.maximumJobs else {
            errors.add(.pointer(pointer), "holds \(total) jobs, but a batch may have at most \(limits.maximumJobs)")
            return nil
        }
        // A payload that is too large is larger than what a run aims at, and so alone in its run.
        let oversized = runs.filter { $0.longest > limits.maximumPayloadBytes }
        guard oversized.isEmpty else {
            for run in oversized { errors.add(.pointer("\(pointer)/\(run.longestIndex)"), tooLarge) }
            return nil
        }
        return runs.map { Segment(first: $0.first, count: $0.count, input: Array(document.json.bytes[$0.range])) }
    }

    private var tooLarge: String { "is larger than a payload may be, \(limits.maximumPayloadBytes) bytes" }
}

extension SubmissionReader {
    /// For requests that say everything in their path: no body, or an empty object.
    func checkEmpty(_ body: [UInt8]) throws(Problem) {
        guard !body.isEmpty else { return }
        var errors = FieldErrors()
        var fields = Fields(of: try json(body).value, at: "", &errors)
        while let (name, _) = fields.next(&errors) { fields.refuse(name, &errors) }
        if !errors.isEmpty { throw .invalid(errors) }
    }
}
