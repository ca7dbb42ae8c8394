import Foundation

/// Where the bearer token comes from: a file counts more than the environment.
struct TokenSource {
    let file: String?
    /// Where the file was named; nil: as a flag.
    var place: Place?
    let environment: [String: String]

    static let minimumLength = 16

    /// - Returns: nil if no token is configured.
    /// - Throws: if the file cannot be read, or the token could not be sent in a header or is too short to
    ///   be a secret.
    func load() throws(ConfigurationError) -> String? {
        let source: Place
        let text: String
        if let file {
            source = place ?? Place(source: "--token-file \(file)")
            let content: String
            do {
                content = try String(contentsOfFile: file, encoding: .utf8)
            } catch {
                throw TokenSource.error(source, "the file cannot be read: \(error.localizedDescription)")
            }
            text = content.trimmingCharacters(in: .whitespacesAndNewlines)
        } else if let value = environment["JOBMILL_TOKEN"] {
            source = Place(source: "JOBMILL_TOKEN")
            text = value
        } else {
            return nil
        }
        guard text.utf8.count >= Self.minimumLength else {
            throw TokenSource.error(
                source, "a token has at least \(Self.minimumLength) characters; try: openssl rand -hex 32")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw TokenSource.error(source, "a token has no spaces and only printable ASCII characters")
        }
        return text
    }

    private static func error(_ source: Place, _ message: String) -> ConfigurationError {
        ConfigurationError(problems: [ConfigurationProblem(source, message)])
    }
}
