/// Why a value is refused, as the rest of a sentence that begins with its name: "must be …".
struct Complaint: Error {
    let detail: String

    init(_ detail: String) { self.detail = detail }
}

/// Collects what is wrong with a request, so that its sender hears all of it at once.
struct FieldErrors {
    /// More would help nobody, and a hostile body could have millions.
    static let maximumCount = 100

    private(set) var all: [FieldError] = []
    /// One of the errors is that the handler is not known.
    private(set) var namesUnknownHandler = false

    var isEmpty: Bool { all.isEmpty }
    var isFull: Bool { all.count >= FieldErrors.maximumCount }

    mutating func add(_ place: FieldError.Place, _ detail: String) {
        if !isFull { all.append(FieldError(place: place, detail: detail)) }
    }

    mutating func addUnknownHandler(_ name: String, at place: FieldError.Place) {
        namesUnknownHandler = true
        add(place, "names no handler of this service: \(Problem.shortened(name))")
    }

    /// The value, or nil and one error more.
    mutating func check<Value>(
        _ place: FieldError.Place, _ value: @autoclosure () throws(Complaint) -> Value
    ) -> Value? {
        do throws(Complaint) {
            return try value()
        } catch {
            add(place, error.detail)
            return nil
        }
    }

    /// Leaves `target` as it is if the value is refused.
    mutating func set<Value>(
        _ target: inout Value, at place: FieldError.Place, to value: @autoclosure () throws(Complaint) -> Value
    ) {
        if let value = check(place, try value()) { target = value }
    }

    /// All of it for a person who does not look at the list.
    var sentence: String {
        guard let first = all.first else { return "" }
        let name =
            switch first.place {
            case .pointer(""): "The body"
            case .pointer(let pointer): pointer
            case .parameter(let name): "The parameter \(name)"
            }
        let rest = all.count > 1 ? " (and \(all.count - 1) more)" : ""
        return "\(name) \(first.detail)\(rest)."
    }
}

/// JSON Pointers, RFC 6901.
enum Pointer {
    static func escaped(_ key: String) -> String {
        guard key.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return key }
        var result = ""
        for character in key.unicodeScalars {
            switch character {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
