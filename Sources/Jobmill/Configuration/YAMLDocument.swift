import Yams

/// The text of a file as YAML. Keys that stand there twice do not keep the rest from being read.
enum YAMLDocument {
    /// - Returns: nil if there is nothing in the file.
    /// - Throws: why it is no YAML.
    static func root(of text: String, in file: ConfigurationFile) throws(ConfigurationError) -> Node? {
        func refusal(_ line: Int?, _ message: String) -> ConfigurationError {
            ConfigurationError(problems: [ConfigurationProblem(file.place(line: line, path: []), message)])
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while true {
            do {
                return try Yams.compose(yaml: lines.joined(separator: "\n"))
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                for key in keys.sorted() {
                    let rule = "a setting may be there once only: \(key)"
                    let places = places(of: key, below: context.mark, in: lines)
                    guard let first = places.first, places.count > 1 else { throw refusal(context.mark.line, rule) }
                    for place in places.dropFirst() {
                        file.complain(line: place + 1, path: [], "\(rule), see line \(first + 1)")
                    }
                    // From below, so that the lines above keep their depth.
                    for place in places.dropFirst().reversed() { blank(place, in: &lines) }
                }
            } catch YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
                YamlError.composer(_, let problem, let mark, _)
            {
                throw refusal(mark.line, "this is no YAML: \(problem)")
            } catch {
                throw refusal(nil, "this is no YAML: \(error)")
            }
        }
    }

    /// The lines, from 0, where a mapping has a key; none for one that is written between braces.
    private static func places(of key: String, below mark: Mark, in lines: [String]) -> [Int] {
        let indentation = mark.column - 1
        var found: [Int] = []
        for place in max(0, mark.line - 1)..<lines.count {
            guard let depth = depth(of: lines[place]) else { continue }
            if depth < indentation { break }
            guard depth == indentation else { continue }
            if bare(lines[place].prefix { $0 != ":" }) == bare(key) { found.append(place) }
        }
        return found
    }

    private static func bare(_ key: some StringProtocol) -> String { String(key.filter { !"\"' ".contains($0) }) }

    /// Takes a key out, with everything below it.
    private static func blank(_ place: Int, in lines: inout [String]) {
        guard let indentation = depth(of: lines[place]) else { return }
        lines[place] = ""
        for next in lines.indices.dropFirst(place + 1) {
            guard let depth = depth(of: lines[next]) else { continue }
            // The elements of a list may stand below their key's first letter.
            let isElement = depth == indentation && lines[next].dropFirst(depth).hasPrefix("- ")
            if depth <= indentation && !isElement { return }
            lines[next] = ""
        }
    }

    /// Spaces at a line's begin; nil if there is nothing behind them but a comment.
    private static func depth(of line: String) -> Int? {
        let depth = line.prefix { $0 == " " }.count
        let first = line.dropFirst(depth).first
        return first == nil || first == "#" ? nil : depth
    }
}
