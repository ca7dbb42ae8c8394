import JSONBytes

/// Tells a person what an `application/problem+json` (RFC 9457) says.
enum ProblemText {
    /// - Returns: a line with title and detail, then one for each thing that is wrong and where.
    static func lines(status: Int, body: [UInt8]) -> [String] {
        guard let problem = try? JSON(validating: body).value, problem.kind == .object,
            let title = problem["title"]?.string()
        else { return ["jobmill: the server answered \(status) without saying why; is it a Jobmill service?"] }
        let detail = problem["detail"]?.string()
        let errors = problem["errors"]?.elements() ?? []
        var lines = ["jobmill: \(title) (\(status))" + (detail.map { ": \($0)" } ?? "")]
        for error in errors {
            guard let detail = error["detail"]?.string() else { continue }
            let place = error["pointer"]?.string() ?? error["parameter"]?.string() ?? ""
            lines.append("  \(place.isEmpty ? "the body" : place): \(detail)")
        }
        if let handlers = problem["handlers"]?.elements().compactMap({ $0.string() }), !handlers.isEmpty {
            lines.append("Handlers of this service: \(handlers.joined(separator: ", "))")
        }
        return lines.map(Output.printable)
    }
}

extension JSONValue {
    /// The first member of this name; nil also if this is no object.
    subscript(name: String) -> JSONValue? { members().first { $0.key == name }?.value }
}
