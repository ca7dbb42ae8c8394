/// Reads a request's query strictly: what is unknown, twice there or no value of its kind is an error with its name.
struct QueryReader {
    private var rest: [(name: String, value: String)]
    private(set) var errors = FieldErrors()

    init(_ query: [(name: String, value: String)]) { rest = query }

    /// All values of a parameter that may be repeated.
    mutating func values(of name: String) -> [String] {
        guard !rest.isEmpty else { return [] }
        let values = rest.filter { $0.name == name }.map(\.value)
        if !values.isEmpty { rest.removeAll { $0.name == name } }
        return values
    }

    mutating func value(of name: String) -> String? {
        let values = values(of: name)
        if values.count > 1 {
            errors.add(.parameter(name), "is there \(values.count) times, but may be there only once")
        }
        return values.first
    }

    /// What `parse` makes of a parameter; nil if it is not there or wrong.
    mutating func value<Value>(of name: String, _ parse: (String) throws(Complaint) -> Value) -> Value? {
        guard let text = value(of: name) else { return nil }
        return errors.check(.parameter(name), try parse(text))
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        value(of: name) { text throws(Complaint) in
            guard let number = Int(text), range.contains(number) else {
                throw Complaint("must be an integer from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
    }

    mutating func complain(about name: String, _ detail: String) { errors.add(.parameter(name), detail) }

    /// To be called when everything that is known was read.
    mutating func finish() throws(Problem) {
        for (name, _) in rest {
            errors.add(.parameter(String(name.prefix(100))), "is not known here")
        }
        if !errors.isEmpty { throw .invalidQuery(errors) }
    }
}
