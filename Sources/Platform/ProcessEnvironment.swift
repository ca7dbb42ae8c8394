import CSystem

extension CurrentProcess {
    /// Its environment variables. Not to be called while another thread changes them.
    package static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        guard var next = csystem_environment() else { return variables }
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let separator = text.firstIndex(of: "=") {
                variables[String(text[..<separator])] = String(text[text.index(after: separator)...])
            }
            next += 1
        }
        return variables
    }
}
