import JobModel

/// The text of `--handler`: `NAME=python:MODULE:FUNCTION`, `NAME=lines:COMMAND` or `NAME=exec:COMMAND`.
enum HandlerFlag {
    static func parse(_ text: String) throws(Complaint) -> HandlerSettings {
        guard let sign = text.firstIndex(of: "=") else {
            throw Complaint("write NAME=python:MODULE:FUNCTION, NAME=lines:COMMAND or NAME=exec:COMMAND")
        }
        let name = String(text[..<sign])
        guard NameRule.allows(name) else {
            throw Complaint("\"\(name)\" cannot be a name: \(HandlerSettings.nameRule)")
        }
        let source = text[text.index(after: sign)...]
        let kind = source.prefix { $0 != ":" }
        let rest = String(source.dropFirst(kind.count + 1))
        switch kind {
        case "python":
            return HandlerSettings(
                name: name, runtime: .python(.init(function: try RuntimeText.python(rest))))
        case "lines": return HandlerSettings(name: name, runtime: .lines(try RuntimeText.command(rest)))
        case "exec": return HandlerSettings(name: name, runtime: .exec(try RuntimeText.command(rest)))
        default:
            throw Complaint("\"\(kind)\" is no runtime: choose from python, lines and exec")
        }
    }
}
