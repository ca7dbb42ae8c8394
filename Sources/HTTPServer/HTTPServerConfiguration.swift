package import Platform

package struct HTTPServerConfiguration: Sendable {
    /// An IPv4 or IPv6 address or a name to resolve; `::` also takes IPv4 connections.
    package var host: String
    /// 0 means any free port.
    package var port: Int
    /// Already bound for this server; nil: `start` binds `host` and `port`.
    package var listener: HTTPListener?
    /// Connections at a time; more wait unaccepted. Lowered at the start if the process may not open that many descriptors.
    package var connectionLimit = 10_000
    /// Connections of one address at a time; nil: no limit of its own.
    package var perAddressLimit: Int?
    /// Per connection, for reading and writing. A head must fit into it, together with its parsed form and what answers it.
    package var connectionMemoryBytes = 32_768
    /// What of it the head of an answer may need.
    private static let answerBytes = 4096
    /// The largest head, with its parsed form.
    var maximumHeadBytes: Int { connectionMemoryBytes - Self.answerBytes }
    /// A connection on which nothing moves is closed after this; whole seconds, at least 1. A request with the handler never
    /// times out here.
    package var idleTimeout = TimeSpan(seconds: 60)
    /// From the first byte of a connection, or of a request line, to the end of the head, however fast the bytes drip.
    package var headerTimeout = TimeSpan(seconds: 10)
    /// From the end of the head to the end of the body.
    package var bodyTimeout = TimeSpan(seconds: 300)
    /// In each such span a client has to take `minimumSent` bytes of a large or streamed response, or everything that there is of
    /// it; else it is cut off.
    package var sendTimeout = TimeSpan(seconds: 60)
    package var minimumSent = 65_536
    /// Bytes of request bodies in memory, of all connections together, until their requests are answered. What is beyond is
    /// refused with 503, but for a body that is alone.
    package var bodyBudget = 256 << 20

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

package enum HTTPServerError: Error, Equatable, CustomStringConvertible {
    /// The address is in use, not ours, not allowed or not an address.
    case cannotListen(host: String, port: Int, reason: String)
    case tooFewDescriptors(limit: Int)
    /// libmicrohttpd refused to start.
    case cannotStart
    case startedTwice

    package var description: String {
        switch self {
        case .cannotListen(let host, let port, let reason):
            let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            return "cannot listen on \(address): \(reason)"
        case .tooFewDescriptors(let limit):
            return "cannot serve HTTP: the process may open only \(limit) descriptors (see ulimit -n)"
        case .cannotStart:
            return "cannot serve HTTP: libmicrohttpd did not start"
        case .startedTwice:
            return "an HTTP server is started only once"
        }
    }
}
