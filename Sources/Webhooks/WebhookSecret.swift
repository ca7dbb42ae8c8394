import FoundationEssentials

/// The key that signs deliveries, written as Standard Webhooks 1.0.0 says: `whsec_` and the base64 of 24 to 64 random bytes.
package struct WebhookSecret: Hashable, Sendable, CustomStringConvertible {
    package let key: [UInt8]

    package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// A sentence without a subject, such as `does not begin with whsec_`.
        package let description: String
    }

    package static let prefix = "whsec_"
    package static let keyLengths = 24...64

    package init(_ text: String) throws(Problem) {
        guard text.hasPrefix(WebhookSecret.prefix) else {
            throw Problem(description: "does not begin with \(WebhookSecret.prefix)")
        }
        guard let data = Data(base64Encoded: String(text.dropFirst(WebhookSecret.prefix.count))) else {
            throw Problem(description: "is not base64 behind \(WebhookSecret.prefix)")
        }
        guard WebhookSecret.keyLengths.contains(data.count) else {
            throw Problem(
                description: "holds \(data.count) bytes instead of \(WebhookSecret.keyLengths.lowerBound) to "
                    + "\(WebhookSecret.keyLengths.upperBound)")
        }
        key = [UInt8](data)
    }

    /// A new one of 32 random bytes.
    package static func generate() -> WebhookSecret {
        var random = SystemRandomNumberGenerator()
        return WebhookSecret(key: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    private init(key: [UInt8]) { self.key = key }

    /// The secret itself, for the one who must verify with it.
    package var text: String { WebhookSecret.prefix + Data(key).base64EncodedString() }

    /// Hides the secret, so that it does not end up in a log by accident.
    package var description: String { "\(WebhookSecret.prefix)…" }

    /// What is wrong with a secret that a client sent, as a sentence without a subject; nil: nothing.
    package static func check(_ text: String) -> String? {
        do {
            _ = try WebhookSecret(text)
            return nil
        } catch {
            return error.description
        }
    }
}
