import Glibc
import Platform
import Synchronization

/// The server's end of a worker's socket, for writing from any thread. It is closed when nobody holds it any more, so no
/// thread ever writes to a number that has become something else.
final class WorkerChannel: Sendable {
    private struct Pending {
        var bytes: [UInt8] = []
        var sent = 0
    }

    let socket: Descriptor
    private let pending = Mutex(Pending())

    /// - Parameter socket: a stream socket, which becomes non-blocking.
    init(_ socket: consuming Descriptor) throws(SystemError) {
        try socket.setNonBlocking()
        // A whole chunk of usual size fits: the sender does not depend on the pool's thread to finish.
        SocketTransfer.enlargeSendBuffer(socket.rawValue, bytes: 1 << 20)
        self.socket = socket
    }

    /// Sends as much as goes now and keeps the rest for `flush`.
    /// - Returns: whether nothing is left. To a worker that is gone nothing can be left; its death is heard of elsewhere.
    func send(_ frame: [UInt8]) -> Bool {
        pending.withLock { pending in
            if pending.bytes.isEmpty { pending.bytes = frame } else { pending.bytes += frame }
            return advance(&pending)
        }
    }

    /// Goes on with what `send` left; to be called when the socket can be written to.
    func flush() -> Bool {
        pending.withLock { advance(&$0) }
    }

    /// The other end hears that nothing more comes.
    func endSending() { shutdown(socket.rawValue, Int32(SHUT_WR)) }

    private func advance(_ pending: inout Pending) -> Bool {
        while pending.sent < pending.bytes.count {
            let result = pending.bytes.withUnsafeBytes { raw in
                Result { () throws(SystemError) in
                    try SocketTransfer.send(
                        socket.rawValue, UnsafeRawBufferPointer(rebasing: raw[pending.sent...]))
                }
            }
            switch result {
            case .success(.bytes(let count)): pending.sent += count
            case .success(.nothing): return false
            case .success(.end), .failure: pending.sent = pending.bytes.count
            }
        }
        pending = Pending()
        return true
    }
}
