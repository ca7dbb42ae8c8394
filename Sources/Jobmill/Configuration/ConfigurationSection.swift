import Yams

/// A mapping in a configuration file, read key by key. What is wrong is noted with its place, and reading goes on, so that a
/// person hears of everything at once.
///
/// Of each key that is asked for, the value is nil if the key is missing or its value is wrong.
final class ConfigurationSection {
    private let file: ConfigurationFile
    private let path: [String]
    private let entries: [(key: String, line: Int?, node: Node)]
    private var known: [String] = []
    let line: Int?

    /// - Parameter path: the keys that lead here.
    init(_ mapping: Node.Mapping, at path: [String], of file: ConfigurationFile) {
        self.file = file
        self.path = path
        line = mapping.mark?.line
        entries = mapping.map { key, value in
            (key.scalar?.string ?? "", key.mark?.line ?? value.mark?.line, value)
        }
        for entry in entries { file.note(line: entry.line, path: path + [entry.key]) }
    }

    /// The keys that are there, in the order of the file.
    var keys: [String] { entries.map(\.key) }

    func complain(_ message: String, of key: String? = nil) {
        note(message, key, key.flatMap { key in entries.first { $0.key == key }?.line } ?? line)
    }

    // MARK: Values

    func text(_ key: String) -> String? {
        scalar(key, "must be a text, and not an empty one") { scalar in scalar.string.isEmpty ? nil : scalar.string }
    }

    /// Whether just this word stands there.
    func says(_ word: String, at key: String) -> Bool { node(key)?.0.scalar?.string == word }

    /// - Parameter word: what may stand there instead; ask `says` for it first.
    func integer(_ key: String, in range: ClosedRange<Int>, orWord word: String? = nil) -> Int? {
        let otherwise = word.map { ", or \($0)" } ?? ""
        return scalar(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)\(otherwise)") {
            scalar in
            Int(scalar.string).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        let (least, most) = (Measure.plain(range.lowerBound), Measure.plain(range.upperBound))
        return scalar(key, "must be a number from \(least) to \(most)") { scalar in
            Double(scalar.string).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    func boolean(_ key: String) -> Bool? {
        scalar(key, "must be true or false") { scalar in
            switch scalar.string {
            case "true": true
            case "false": false
            default: nil
            }
        }
    }

    /// Seconds, or a number with a unit.
    func duration(_ key: String, from least: Double, to most: Double) -> Double? {
        let range = "\(Measure.plain(least)) to \(Measure.plain(most)) s"
        return scalar(key, "must be a duration from \(range), such as 30, 500ms, 2m or 1h") { scalar in
            Measure.seconds(scalar.string).flatMap { (least...most).contains($0) ? $0 : nil }
        }
    }

    /// Bytes, or a number with a unit.
    func size(_ key: String, from least: Int, to most: Int) -> Int? {
        scalar(key, "must be a size from \(least) to \(most) bytes, such as 65536, 512MiB or 2GiB") { scalar in
            Measure.bytes(scalar.string).flatMap { (least...most).contains($0) ? $0 : nil }
        }
    }

    /// A list of texts, or a single one.
    func texts(_ key: String) -> [String]? {
        guard let (node, line) = node(key) else { return nil }
        if let text = node.scalar?.string, !text.isEmpty { return [text] }
        guard let sequence = node.sequence else {
            note("must be a list of texts", key, line)
            return nil
        }
        return sequence.enumerated().compactMap { index, element in
            file.note(line: element.mark?.line ?? line, path: path + [key, String(index)])
            guard let text = element.scalar?.string, !text.isEmpty else {
                note("must be a list of texts", key, element.mark?.line ?? line)
                return nil
            }
            return text
        }
    }

    /// Texts by name.
    func table(_ key: String) -> [String: String]? {
        guard let section = section(key) else { return nil }
        var table: [String: String] = [:]
        for name in section.keys { table[name] = section.text(name) ?? "" }
        return table
    }

    /// - Parameter isNeeded: whether a section whose keys are all missing, or commented out, is one without keys rather than none.
    func section(_ key: String, isNeeded: Bool = false) -> ConfigurationSection? {
        guard let (node, line) = node(key) else { return nil }
        if node.isEmpty {
            let empty = Node.Mapping([], .implicit, .any, node.mark)
            return isNeeded ? ConfigurationSection(empty, at: path + [key], of: file) : nil
        }
        guard let mapping = node.mapping else {
            note("must be a section of its own: keys with values, indented below it", key, line)
            return nil
        }
        return ConfigurationSection(mapping, at: path + [key], of: file)
    }

    /// To be called last: complains about every key that nobody has asked for.
    func finish() {
        for entry in entries where !known.contains(entry.key) {
            if entry.key.isEmpty {
                note("a key must be a text", nil, entry.line)
            } else if let near = Spelling.nearest(to: entry.key, among: known) {
                note("there is no such setting; did you mean \(near)?", entry.key, entry.line)
            } else {
                note("there is no such setting; choose from \(known.joined(separator: ", "))", entry.key, entry.line)
            }
        }
    }

    // MARK: Inside

    private func node(_ key: String) -> (Node, line: Int?)? {
        if !known.contains(key) { known.append(key) }
        guard let entry = entries.first(where: { $0.key == key }) else { return nil }
        return (entry.node, entry.line)
    }

    private func scalar<Value>(_ key: String, _ rule: String, _ read: (Node.Scalar) -> Value?) -> Value? {
        guard let (node, line) = node(key) else { return nil }
        guard let scalar = node.scalar, let value = read(scalar) else {
            note(rule, key, line)
            return nil
        }
        return value
    }

    private func note(_ message: String, _ key: String?, _ line: Int?) {
        file.complain(line: line, path: path + (key.map { [$0] } ?? []), message)
    }

}

/// One file: its name, what is wrong with it, and where in it things are said.
final class ConfigurationFile {
    let name: String
    let report: ConfigurationReport
    private(set) var places = Places()

    init(name: String, report: ConfigurationReport) {
        self.name = name
        self.report = report
    }

    func place(line: Int?, path: [String]) -> Place {
        Place(source: name, line: line, key: path.isEmpty ? nil : path.joined(separator: "."))
    }

    func note(line: Int?, path: [String]) { places.note(place(line: line, path: path), at: path) }

    func complain(line: Int?, path: [String], _ message: String) {
        report.add(place(line: line, path: path), message)
    }
}

extension Node {
    /// Nothing, or a word for nothing.
    var isEmpty: Bool { ["", "null", "~"].contains(scalar?.string) }
}
