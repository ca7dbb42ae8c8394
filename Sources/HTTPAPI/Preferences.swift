/// What a client prefers, from its `Prefer` headers (RFC 7240). What is malformed or unknown is ignored, as the RFC demands.
struct Preferences: Sendable, Equatable {
    /// Nobody needs to wait longer on one connection; a longer wish is cut to this.
    static let maximumWait = 3600

    /// Seconds to wait for the end of the work; nil if nothing was said.
    private(set) var wait: Int?
    private(set) var respondsAsync = false
    private(set) var isMinimal = false

    init(_ headers: [String] = []) {
        for header in headers {
            for preference in Preferences.split(header, at: UInt8(ascii: ",")) { add(preference) }
        }
    }

    /// The first of two contradicting preferences counts.
    private mutating func add(_ preference: Substring) {
        guard let first = Preferences.split(preference, at: UInt8(ascii: ";")).first else { return }
        let parts = Preferences.split(first, at: UInt8(ascii: "="))
        guard let name = parts.first.map(Preferences.trimmed) else { return }
        let value = parts.count > 1 ? Preferences.unquoted(Preferences.trimmed(parts[1])) : ""
        switch name.lowercased() {
        case "wait":
            guard wait == nil, let seconds = Preferences.seconds(value) else { return }
            wait = seconds
        case "respond-async": respondsAsync = true
        case "return": if value.lowercased() == "minimal" { isMinimal = true }
        default: break
        }
    }

    /// How long to wait for the end of the work if nothing else is said.
    func waitSeconds(default seconds: Int) -> Int { wait ?? (respondsAsync ? 0 : seconds) }

    /// The header that says which of the preferences were honoured; none if none were.
    /// - Parameter isAccepted: the answer is a 202.
    func applied(isAccepted: Bool) -> [(String, String)] {
        guard wait != nil || respondsAsync || isMinimal else { return [] }
        var names: [String] = []
        if let wait { names.append("wait=\(wait)") }
        if respondsAsync && isAccepted { names.append("respond-async") }
        if isMinimal && isAccepted { names.append("return=minimal") }
        return names.isEmpty ? [] : [("Preference-Applied", names.joined(separator: ", "))]
    }

    /// Nothing but digits is a number of seconds.
    private static func seconds(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return min(Int(text) ?? maximumWait, maximumWait)
    }

    /// Separators inside quotes do not count.
    private static func split(_ text: some StringProtocol, at separator: UInt8) -> [Substring] {
        let text = Substring(text)
        var parts: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        for index in text.utf8.indices {
            let byte = text.utf8[index]
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == separator && !isQuoted {
                parts.append(text[start..<index])
                start = text.utf8.index(after: index)
            }
        }
        parts.append(text[start...])
        return parts
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.utf8.first, first == 0x20 || first == 0x09 { text = text.dropFirst() }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return text
    }

    private static func unquoted(_ text: Substring) -> Substring {
        guard text.utf8.count >= 2, text.utf8.first == UInt8(ascii: "\""), text.utf8.last == UInt8(ascii: "\"") else {
            return text
        }
        return text.dropFirst().dropLast()
    }
}
