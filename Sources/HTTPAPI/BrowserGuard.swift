import HTTPServer

/// Keeps web pages out of a service that trusts everybody who can connect, because only this machine can.
///
/// A page in this machine's browser can connect too: by a request to another site that needs no permission, or by a name of
/// its own that it lets point to 127.0.0.1 (DNS rebinding). So requests must name this machine, and must not come from a page
/// of elsewhere. Source for the headers: the Fetch standard and the W3C's Fetch Metadata.
struct BrowserGuard: Sendable {
    static func admits(_ headers: HTTPHeaders) -> Bool {
        guard isThisMachine(headers.first("Host") ?? "localhost") else { return false }
        if let origin = headers.first("Origin"), !isThisMachine(host(ofOrigin: origin)) { return false }
        return headers.first("Sec-Fetch-Site") != "cross-site"
    }

    /// Asked with every request, so the usual ones are recognised without making strings.
    private static let usualNames = [Array("127.0.0.1".utf8), Array("localhost".utf8)]

    /// - Parameter authority: a host and perhaps a port.
    private static func isThisMachine(_ authority: some StringProtocol) -> Bool {
        let name = authority.utf8.prefix { $0 != UInt8(ascii: ":") }
        if usualNames.contains(where: { name.elementsEqual($0) }) { return true }
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return false }
            return authority[..<end].dropFirst() == "::1"
        }
        let host = authority.prefix { $0 != ":" }
        if host.lowercased() == "localhost" { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
    }

    private static func host(ofOrigin origin: String) -> Substring {
        for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) { return origin.dropFirst(scheme.count) }
        return ""
    }
}
