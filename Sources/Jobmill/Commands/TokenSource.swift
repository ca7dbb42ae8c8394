import ArgumentParser
import Foundation

/// Where the bearer token comes from: a file counts more than the environment.
struct TokenSource {
    let file: String?
    let environment: [String: String]

    static let minimumLength = 16

    /// - Returns: nil if no token is configured.
    /// - Throws: `ValidationError` if the file cannot be read, or the token could not be sent in a header or is too short to
    ///   be a secret.
    func load() throws -> String? {
        let name: String
        let text: String
        if let file {
            name = "--token-file \(file)"
            guard let content = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw ValidationError("\(name): the file cannot be read.")
            }
            text = content.trimmingCharacters(in: .whitespacesAndNewlines)
        } else if let value = environment["JOBMILL_TOKEN"] {
            name = "JOBMILL_TOKEN"
            text = value
        } else {
            return nil
        }
        guard text.utf8.count >= Self.minimumLength else {
            throw ValidationError(
                "\(name): a token has at least \(Self.minimumLength) characters; try: openssl rand -hex 32")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValidationError("\(name): a token has no spaces and only printable ASCII characters.")
        }
        return text
    }
}
