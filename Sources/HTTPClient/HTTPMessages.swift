/// One request.
package struct HTTPClientRequest: Sendable {
    package var method: String
    package var url: HTTPURL
    /// Names may repeat.
    package var headers: [(String, String)]
    /// Nil: none. For POST nil is the same as empty.
    package var body: [UInt8]?
    /// Seconds until the connection must stand, name resolution included.
    package var connectTimeout: Double
    /// Seconds for the whole exchange; nil: none.
    package var timeout: Double?
    /// What comes beyond is cut off.
    package var maximumResponseBytes: Int
    package var addressPolicy: AddressPolicy

    package init(
        method: String = "GET", url: HTTPURL, headers: [(String, String)] = [], body: [UInt8]? = nil,
        connectTimeout: Double = 10, timeout: Double? = nil, maximumResponseBytes: Int = .max,
        addressPolicy: AddressPolicy = .any
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.connectTimeout = connectTimeout
        self.timeout = timeout
        self.maximumResponseBytes = maximumResponseBytes
        self.addressPolicy = addressPolicy
    }
}

/// Status line and headers of an answer.
package struct HTTPClientHead: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]

    package init(status: Int, headers: [(name: String, value: String)] = []) {
        self.status = status
        self.headers = headers
    }

    /// The first header of that name, in any case.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}

package struct HTTPClientResponse: Sendable {
    package var head: HTTPClientHead
    package var body: [UInt8]
    /// The body was longer than the request allowed; `body` is its beginning.
    package var isCut: Bool

    package var status: Int { head.status }
    package func header(_ name: String) -> String? { head.header(name) }
}
