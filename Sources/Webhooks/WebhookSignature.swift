import Crypto
import FoundationEssentials
package import JobModel

/// Signs and verifies as Standard Webhooks 1.0.0: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
package enum WebhookSignature {
    /// The value of `webhook-signature`.
    ///
    /// - Parameters:
    ///   - id: `webhook-id`, the same on every try.
    ///   - timestamp: `webhook-timestamp`, Unix seconds of this try.
    package static func sign(id: String, timestamp: Int64, body: [UInt8], secret: WebhookSecret) -> String {
        let code = authenticationCode(id: id, timestamp: String(timestamp), body: body, secret: secret)
        return "v1,\(Data(code).base64EncodedString())"
    }

    /// Whether one of the signatures in `signature` (a list with spaces between, so that secrets can be exchanged) was made
    /// with one of `secrets`, and not longer ago, or further ahead, than `tolerance`. Compares in constant time.
    ///
    /// - Parameters:
    ///   - timestamp: `webhook-timestamp` as it came.
    ///   - tolerance: seconds.
    package static func verify(
        id: String, timestamp: String, body: [UInt8], signature: String, secrets: [WebhookSecret], now: Timestamp,
        tolerance: Double = 300
    ) -> Bool {
        guard let seconds = Int64(timestamp), abs(Double(seconds) - Double(now.microseconds) / 1e6) <= tolerance else {
            return false
        }
        let candidates = signature.split(separator: " ").filter { $0.hasPrefix("v1,") }
            .compactMap { Data(base64Encoded: String($0.dropFirst(3))) }
        return secrets.contains { secret in
            let code = authenticationCode(id: id, timestamp: timestamp, body: body, secret: secret)
            // The operator of an authentication code takes the same time wherever the difference is.
            return candidates.contains { code == $0 }
        }
    }

    private static func authenticationCode(id: String, timestamp: String, body: [UInt8], secret: WebhookSecret)
        -> HMAC<SHA256>.MAC
    {
        var code = HMAC<SHA256>(key: SymmetricKey(data: secret.key))
        code.update(data: Array("\(id).\(timestamp).".utf8))
        code.update(data: body)
        return code.finalize()
    }
}
