/// The one token that opens the service.
struct Bearer: Sendable {
    private let token: [UInt8]

    init(_ token: String) { self.token = Array(token.utf8) }

    /// - Parameter authorization: the values of the `Authorization` headers; exactly one is wanted.
    func admits(_ authorization: [String]) -> Bool {
        guard authorization.count == 1, let value = authorization.first else { return false }
        let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
        return isEqual(parts[1])
    }

    /// Takes as long for a wrong token as for the right one, so that its time tells nothing about how much of it was right.
    private func isEqual(_ candidate: Substring) -> Bool {
        var bytes = candidate.utf8.makeIterator()
        var difference: UInt8 = candidate.utf8.count == token.count ? 0 : 1
        for byte in token { difference |= byte ^ (bytes.next() ?? 0) }
        return difference == 0 && !token.isEmpty
    }
}
