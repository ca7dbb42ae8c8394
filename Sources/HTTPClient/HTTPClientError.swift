/// Why a request got no answer, with one sentence for a person.
package struct HTTPClientError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The request itself cannot be sent, such as a header value with a line break.
        case invalidRequest
        case cannotResolve
        case cannotConnect
        /// The host's address is one that the address policy refuses.
        case addressRefused
        case timedOut
        /// No trustworthy encrypted connection.
        case insecure
        /// The connection ended before the answer was complete.
        case connectionLost
        /// `HTTPClient.abort` was called.
        case aborted
        /// The answer is no HTTP, or libcurl failed.
        case protocolViolation
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
