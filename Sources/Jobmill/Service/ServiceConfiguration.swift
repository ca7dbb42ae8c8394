import Foundation
import HTTPServer

/// Everything that a service is told at its start, or again when it is to reload.
struct ServiceConfiguration: Sendable {
    var listen: ListenAddress
    /// Where the store lives.
    var dataFolder: String
    /// The handlers that clients may use.
    var handlers: [HandlerSettings]
    /// What is put in force at the start.
    var queues: [QueueRule] = []
    /// Chunks that run at once.
    var workers: Int
    /// Whether the number of workers was not chosen, and so follows the CPUs that the process may use.
    var followsCPUs = false
    /// Folders below which handlers may read and write files.
    var fileRoots: [String]
    /// What clients must present; nil: everybody who can connect is let in.
    var token: String?
    /// Whether webhooks may go to loopback and private addresses.
    var allowsPrivateWebhooks: Bool
    /// Seconds that running jobs get to finish when the service is asked to stop.
    var gracePeriod: Double
    /// Seconds a job may run whose batch does not say; nil: for ever.
    var defaultTimeout: Double?
    /// The largest request body, in bytes.
    var maximumBodyBytes: Int

    init(
        listen: ListenAddress, dataFolder: String, handlers: [HandlerSettings], workers: Int, fileRoots: [String] = [],
        token: String? = nil, allowsPrivateWebhooks: Bool = false, gracePeriod: Double = 8,
        defaultTimeout: Double? = 3600, maximumBodyBytes: Int = 64 << 20
    ) {
        self.listen = listen
        self.dataFolder = dataFolder
        self.handlers = handlers
        self.workers = workers
        self.fileRoots = fileRoots
        self.token = token
        self.allowsPrivateWebhooks = allowsPrivateWebhooks
        self.gracePeriod = gracePeriod
        self.defaultTimeout = defaultTimeout
        self.maximumBodyBytes = maximumBodyBytes
    }
}

/// A host and a port, written `127.0.0.1:8080` or `[::1]:8080`.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    /// 0: any free one.
    package let port: Int

    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.host = host
        self.port = port
    }

    package var isLoopback: Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
    }

    package func url(port: Int) -> String {
        host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
