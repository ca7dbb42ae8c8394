import JSONBytes
import JobModel

/// One line that a long-lived command wrote.
enum CommandReply {
    case outcome(Outcome)
    /// Something that the running job says of itself.
    case sign(Sign)

    struct Outcome {
        /// The text of the job's identifier, if the line names it.
        let identifier: ArraySlice<UInt8>?
        let end: End
    }

    enum End {
        /// JSON text.
        case result([UInt8])
        case error(Failure)
    }

    enum Sign: Equatable {
        case progress(JobProgress)
        case log(LogLine.Source, String)
        case counts([CounterDelta])
    }

    /// Why a line is none of the protocol.
    struct Fault: Error, Equatable {
        /// One sentence without a full stop.
        let message: String
    }

    init(parsing line: [UInt8]) throws(Fault) {
        let json: JSON
        do {
            json = try JSON(validating: line)
        } catch {
            throw Fault(message: "a line that is no JSON: \(error); it is \(Excerpt.of(line))")
        }
        var fields = Fields(json)
        guard json.value.kind == .object else {
            throw Fault(message: "a line that is no JSON object: \(Excerpt.of(line))")
        }
        let identifier = fields.take("id")
        if let identifier, identifier.kind != .string {
            throw Fault(message: "an \"id\" that is no string: \(Excerpt.of(line))")
        }
        let (result, error) = (fields.take("result"), fields.take("error"))
        if result != nil, error != nil {
            throw Fault(message: "a line with both \"result\" and \"error\": \(Excerpt.of(line))")
        }
        if let result {
            var text = Array(result.bytes)
            OneLine.join(&text)
            self = .outcome(Outcome(identifier: identifier?.bytes, end: .result(text)))
        } else if let error {
            self = .outcome(Outcome(identifier: identifier?.bytes, end: .error(try CommandReply.failure(error))))
        } else {
            self = .sign(try CommandReply.sign(&fields, line))
        }
        if let unknown = fields.rest {
            throw Fault(message: "a line with the unknown member \"\(unknown)\": \(Excerpt.of(line))")
        }
    }

    private static func failure(_ error: JSONValue) throws(Fault) -> Failure {
        var fields = Fields(error.json)
        guard error.kind == .object, let message = fields.take("message")?.string() else {
            throw Fault(message: "an \"error\" without a \"message\": \(Excerpt.of(error.bytes))")
        }
        let type = try fields.text("type")
        let traceback = try fields.text("traceback")
        if let unknown = fields.rest {
            throw Fault(message: "an \"error\" with the unknown member \"\(unknown)\": \(Excerpt.of(error.bytes))")
        }
        return Failure(kind: .exception, message: message, type: type, traceback: traceback)
    }

    private static func sign(_ fields: inout Fields, _ line: [UInt8]) throws(Fault) -> Sign {
        if let progress = fields.take("progress") {
            let fraction = progress.double()
            if let fraction, !(0...1).contains(fraction) {
                throw Fault(message: "a \"progress\" that is not between 0 and 1: \(Excerpt.of(line))")
            }
            guard fraction != nil || progress.kind == .null else {
                throw Fault(message: "a \"progress\" that is no number: \(Excerpt.of(line))")
            }
            return .progress(JobProgress(fraction: fraction, message: try fields.text("message")))
        }
        if let log = fields.take("log") {
            let level = try fields.text("level") ?? LogLine.Source.info.rawValue
            guard let text = log.string(), let source = LogLine.Source(rawValue: level),
                [.debug, .info, .warning, .error].contains(source)
            else {
                throw Fault(
                    message: "a \"log\" that is no string, or has a level other than debug, info, warning and error: "
                        + Excerpt.of(line))
            }
            return .log(source, text)
        }
        if let count = fields.take("count") {
            let deltas = count.members().map { (name: $0.key, amount: $0.value.integer()) }
            guard count.kind == .object, deltas.allSatisfy({ $0.amount != nil }) else {
                throw Fault(message: "a \"count\" that is no object of integers: \(Excerpt.of(line))")
            }
            return .counts(deltas.map { CounterDelta(name: $0.name, amount: Int64($0.amount ?? 0)) })
        }
        throw Fault(
            message:
                "a line with none of \"result\", \"error\", \"progress\", \"log\" and \"count\": \(Excerpt.of(line))")
    }

    /// An object's members, of which each is taken once.
    private struct Fields {
        private var members: [(key: String, value: JSONValue)]

        init(_ json: JSON) { members = json.value.members(atMost: 16) }

        mutating func take(_ name: String) -> JSONValue? {
            members.firstIndex { $0.key == name }.map { members.remove(at: $0).value }
        }

        /// A string that may be missing or null.
        mutating func text(_ name: String) throws(Fault) -> String? {
            guard let value = take(name), value.kind != .null else { return nil }
            guard let text = value.string() else {
                throw Fault(message: "a \"\(name)\" that is no string: \(Excerpt.of(value.bytes))")
            }
            return text
        }

        /// One that was not taken.
        var rest: String? { members.first?.key }
    }
}
