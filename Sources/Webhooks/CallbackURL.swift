package import HTTPClient

/// Judges the URL of a callback when a batch is submitted, so that a mistake is refused at once and not found out at its end.
package enum CallbackURL {
    /// What is wrong with it, as a sentence without a subject such as `has no host`; nil: nothing.
    ///
    /// The policy can only be asked about a host that is written as an address; what a name leads to is judged at each try.
    package static func check(_ text: String, policy: AddressPolicy) -> String? {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            return "holds characters that are not ASCII; write them in percent or Punycode"
        }
        do {
            let url = try HTTPURL(text)
            if url.hasCredentials { return "holds a user name or a password" }
            if let address = NetworkAddress(url.host), let kind = policy.refusal(of: address) {
                return "leads to \(address), an address that is \(kind) and may not be called"
            }
            return nil
        } catch {
            return error.description
        }
    }
}
