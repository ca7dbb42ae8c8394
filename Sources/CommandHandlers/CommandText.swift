/// Splits the text of a command into words like a POSIX shell: white space, quotation marks and backslashes. Nothing is expanded, and
/// what only a shell can do is an error unless it is quoted.
package enum CommandText {
    private enum Quote: Character {
        case single = "'"
        case double = "\""
    }

    /// - Returns: at least one word.
    package static func words(_ text: String) throws(CommandError) -> [String] {
        var words: [String] = []
        /// nil between words; a pair of quotation marks makes an empty word.
        var word: String?
        var quote: Quote?
        var rest = Substring(text)

        while let character = rest.popFirst() {
            if character == "\0" { throw CommandError("the command holds a NUL character") }
            switch quote {
            case .single:
                if character == Quote.single.rawValue { quote = nil } else { word?.append(character) }
            case .double:
                switch character {
                case Quote.double.rawValue: quote = nil
                case "\\": word?.append(contentsOf: try inDoubleQuotes(&rest))
                default: word?.append(character)
                }
            case nil:
                if character == "\\" {
                    guard let escaped = rest.popFirst() else { throw CommandError("the command ends with a backslash") }
                    // A line that goes on in the next one.
                    if escaped != "\n" { word = (word ?? "") + String(escaped) }
                } else if let opened = Quote(rawValue: character) {
                    quote = opened
                    word = word ?? ""
                } else if character.isWhitespace {
                    if let complete = word { words.append(complete) }
                    word = nil
                } else if "|&;<>()".contains(character) {
                    throw CommandError(
                        "\(character) means something to a shell only, and none runs: quote it, or make the command sh -c '...'"
                    )
                } else {
                    word = (word ?? "") + String(character)
                }
            }
        }
        if let quote { throw CommandError("the command has an opening \(quote.rawValue) and no closing one") }
        if let complete = word { words.append(complete) }
        guard words.first?.isEmpty == false else { throw CommandError("the command is empty") }
        return words
    }

    /// What follows a backslash between double quotation marks, where most characters keep it.
    private static func inDoubleQuotes(_ rest: inout Substring) throws(CommandError) -> String {
        guard let escaped = rest.popFirst() else { throw CommandError("the command ends with a backslash") }
        switch escaped {
        case "\n": return ""
        case "\\", "\"", "$", "`": return String(escaped)
        default: return "\\" + String(escaped)
        }
    }
}
