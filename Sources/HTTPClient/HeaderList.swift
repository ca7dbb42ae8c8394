import CCurl

/// The headers of a request as libcurl takes them.
final class HeaderList {
    private(set) var list: UnsafeMutablePointer<curl_slist>?

    init(for request: HTTPClientRequest) throws(HTTPClientError) {
        for (name, value) in request.headers {
            guard !name.isEmpty, name.utf8.allSatisfy(HeaderList.isTokenByte),
                !value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F })
            else { throw HTTPClientError(.invalidRequest, "the header \(name.debugDescription) cannot be sent") }
            // An empty value is written with a semicolon; a colon would remove the header.
            try append(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        // Otherwise libcurl would claim that a body is a form.
        if !request.headers.contains(where: { $0.0.lowercased() == "content-type" }) { try append("Content-Type:") }
    }

    deinit { curl_slist_free_all(list) }

    private func append(_ line: String) throws(HTTPClientError) {
        guard let longer = curl_slist_append(list, line) else {
            throw HTTPClientError(.invalidRequest, "a header cannot be sent: out of memory")
        }
        list = longer
    }

    /// RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
