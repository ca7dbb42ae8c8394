import JSONBytes

/// The members of an object that is read strictly: each name at most once, none that is not known.
struct Fields {
    private var members: JSONMembers
    private var count = 0
    private let pointer: String
    private var seen: [String] = []
    /// False if the value is no object; that is an error already.
    private let isObject: Bool

    /// What is beyond this many members was there before or is not known, and there is no room for so many errors.
    private static let maximumCount = 256

    init(of value: JSONValue, at pointer: String, _ errors: inout FieldErrors) {
        self.pointer = pointer
        isObject = value.kind == .object
        members = JSONMembers(of: value)
        seen.reserveCapacity(4)
        if !isObject { errors.add(.pointer(pointer), "must be an object") }
    }

    /// The next member whose name was not there before.
    mutating func next(_ errors: inout FieldErrors) -> (name: String, value: JSONValue)? {
        while !errors.isFull, count < Fields.maximumCount, let (name, value) = members.next() {
            count += 1
            if seen.contains(name) {
                errors.add(place(of: name), "is there twice")
            } else {
                seen.append(name)
                return (name, value)
            }
        }
        return nil
    }

    /// For a name that is not known.
    mutating func refuse(_ name: String, _ errors: inout FieldErrors) {
        // Whatever else has this name is refused in the same way; so a hostile object cannot make the list of names long.
        seen.removeLast()
        errors.add(place(of: name), "is no field that is known here")
    }

    /// To be called when all members were read.
    func require(_ names: [String], _ errors: inout FieldErrors) {
        guard isObject else { return }
        for name in names where !seen.contains(name) { errors.add(place(of: name), "is missing") }
    }

    func place(of name: String) -> FieldError.Place {
        .pointer("\(pointer)/\(Pointer.escaped(name.utf8.count <= 200 ? name : String(name.prefix(100))))")
    }
}
