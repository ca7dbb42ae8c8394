import CCurl

/// An absolute `http` or `https` URL, parsed by libcurl alone, so that what is checked is what is connected to.
package struct HTTPURL: Hashable, Sendable, CustomStringConvertible {
    /// Normalised: numeric spellings of an IPv4 host are written as four decimal numbers.
    package let text: String
    /// `http` or `https`.
    package let scheme: String
    /// An IPv6 address stands in brackets.
    package let host: String
    package let port: Int
    /// A user name or a password is part of it.
    package let hasCredentials: Bool

    package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// A sentence without a subject, such as `has no host`.
        package let description: String
    }

    package static let maximumLength = 4096

    package init(_ text: String) throws(Problem) {
        guard text.utf8.count <= HTTPURL.maximumLength else {
            throw Problem(description: "is longer than \(HTTPURL.maximumLength) bytes")
        }
        guard !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            throw Problem(description: "holds a space or a control character")
        }
        // libcurl accepts one to three slashes; only two are a URL.
        guard let separator = text.firstRange(of: "://"),
            ["http", "https"].contains(text[..<separator.lowerBound].lowercased())
        else { throw Problem(description: "is no absolute http or https URL") }
        guard let first = text[separator.upperBound...].first, !"/?#".contains(first) else {
            throw Problem(description: "has no host")
        }
        guard let handle = curl_url() else { throw Problem(description: "cannot be parsed: out of memory") }
        defer { curl_url_cleanup(handle) }
        let code = curl_url_set(handle, CURLUPART_URL, text, 0)
        guard code == CURLUE_OK else { throw Problem(description: HTTPURL.sentence(for: code)) }
        guard let whole = HTTPURL.part(CURLUPART_URL, of: handle),
            let scheme = HTTPURL.part(CURLUPART_SCHEME, of: handle),
            let host = HTTPURL.part(CURLUPART_HOST, of: handle), !host.isEmpty
        else { throw Problem(description: "has no host") }
        guard let port = HTTPURL.part(CURLUPART_PORT, of: handle, flags: CURLU_DEFAULT_PORT).flatMap({ Int($0) }),
            (1...65_535).contains(port)
        else { throw Problem(description: "has no valid port") }
        self.text = whole
        self.scheme = scheme
        self.host = host
        self.port = port
        hasCredentials =
            HTTPURL.part(CURLUPART_USER, of: handle) != nil || HTTPURL.part(CURLUPART_PASSWORD, of: handle) != nil
    }

    package var description: String { text }

    /// Host and port for messages: never the path or the query, which may hold secrets.
    package var endpoint: String { "\(host):\(port)" }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer, flags: Int32 = 0) -> String? {
        var pointer: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &pointer, UInt32(flags)) == CURLUE_OK, let pointer else { return nil }
        defer { curl_free(pointer) }
        return String(cString: pointer)
    }

    private static func sentence(for code: CURLUcode) -> String {
        switch code {
        case CURLUE_BAD_PORT_NUMBER: "has no valid port"
        case CURLUE_NO_HOST: "has no host"
        case CURLUE_BAD_HOSTNAME, CURLUE_BAD_IPV6: "has no valid host"
        default: "is no valid URL (\(String(cString: curl_url_strerror(code))))"
        }
    }
}
