import JSONBytes

/// What the server wants a Swift zygote to prepare: a JSON object with `handlers`, an array of names, and `commands`, an array of
/// descriptions from which the program makes further handlers.
struct ZygoteSetup: Equatable {
    /// nil: all that the program has.
    var handlers: [String]?
    /// JSON texts.
    var commands: [[UInt8]] = []

    init(decoding text: [UInt8]) throws(ProtocolViolation) {
        let value: JSONValue
        do throws(JSONSyntaxError) {
            value = try JSON(validating: text).value
        } catch {
            throw ProtocolViolation("a setup that is no JSON: \(error)")
        }
        guard value.kind == .object else { throw ProtocolViolation("a setup that is no object") }
        if let list = value.members().first(where: { $0.key == "commands" })?.value {
            guard list.kind == .array else { throw ProtocolViolation("a setup whose commands are no array") }
            commands = list.elements().map { Array($0.bytes) }
        }
        guard let list = value.members().first(where: { $0.key == "handlers" })?.value else { return }
        guard list.kind == .array else { throw ProtocolViolation("a setup whose handlers are no array") }
        var names: [String] = []
        for element in list.elements() {
            guard let name = element.string() else { throw ProtocolViolation("a handler's name that is no string") }
            names.append(name)
        }
        handlers = names
    }

    /// The handlers that are wanted, and those of them that there are not.
    func choose(from all: [Handler]) -> (chosen: [Handler], problems: [UnusableHandler]) {
        guard let handlers else { return (all, []) }
        let known = Set(all.map(\.name))
        let missing = handlers.filter { !known.contains($0) }
        let wanted = Set(handlers)
        return (
            all.filter { wanted.contains($0.name) },
            missing.map { UnusableHandler(name: $0, reason: "this program has no handler named \($0)") }
        )
    }
}
