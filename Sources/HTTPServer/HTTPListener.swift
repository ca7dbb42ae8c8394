import Platform
import Synchronization

/// A place to listen at, taken before the server that will serve it can be made: so an address that cannot be had is found out
/// before anything else is begun. Who connects early waits.
package final class HTTPListener: Sendable {
    package let port: Int
    private let socket: Mutex<Int32?>

    /// - Parameter port: 0: any free one.
    package init(host: String, port: Int) throws(HTTPServerError) {
        let listening = try ListeningSocket(host: host, port: port)
        self.port = listening.port
        socket = Mutex(listening.release())
    }

    deinit { if let number = take() { _ = Descriptor(adopting: number) } }

    /// The descriptor, for its one new owner; nil if somebody was faster.
    func take() -> Int32? {
        socket.withLock { socket in
            defer { socket = nil }
            return socket
        }
    }
}
