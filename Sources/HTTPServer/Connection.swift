import CMicroHTTPD
import Glibc
import Platform

/// One client's socket while libmicrohttpd owns it. Belongs to the server's thread.
final class Connection {
    let id: UInt64
    let socket: Int32
    let remoteAddress: String
    /// The request that is on its way, if any.
    var exchange: Exchange?
    /// When the connection is cut, whatever it does until then. Set through the loop.
    var deadline: MonotonicTime?
    /// The client has sent its last byte, or is gone altogether.
    private(set) var isPeerGone = false

    private let handle: OpaquePointer
    private let loop: ServerLoop
    private var isSuspended = false
    private var isWatched = false
    private var hasProbed = false

    init(id: UInt64, handle: OpaquePointer, loop: ServerLoop) {
        self.id = id
        self.handle = handle
        self.loop = loop
        socket = cmhd_socket(handle)
        remoteAddress = cmhd_client_address(handle).map { NetworkAddress.text(of: $0) } ?? "unknown"
    }

    var isServerStopping: Bool { loop.isStopping }

    /// Until `resume`, libmicrohttpd neither reads nor writes, nor sees the client go; so that is watched for here.
    func suspend() {
        precondition(!isSuspended, "a connection is suspended once at a time")
        isSuspended = true
        MHD_suspend_connection(handle)
        watch()
        if isPeerGone { noticeEnd() }
    }

    func resume() {
        guard isSuspended else { return }
        isSuspended = false
        MHD_resume_connection(handle)
    }

    /// The client has gone. If nobody but libmicrohttpd waits for it, it will see that itself.
    func peerHasGone() {
        isPeerGone = true
        if isSuspended {
            noticeEnd()
        } else if exchange?.lacksBody == true {
            cutIfNothingIsUnread()
        }
    }

    /// Part of a body is in and the rest is not. Libmicrohttpd may miss the end of the connection then: a short read clears its
    /// readiness, and the edge was already reported.
    func expectsMore() {
        watch()
        if isPeerGone { cutIfNothingIsUnread() }
    }

    /// A client that ended only its sending side may have sent all of the body before.
    private func cutIfNothingIsUnread() {
        var byte: UInt8 = 0
        if recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 0 { cut() }
    }

    private func watch() {
        guard !isWatched else { return }
        isWatched = true
        loop.watchForEnd(of: self)
    }

    /// Lets libmicrohttpd read the end of the connection, once: with unread bytes before it, it would find no end for ever.
    private func noticeEnd() {
        guard !hasProbed else { return }
        hasProbed = true
        exchange?.clientIsGone()
        resume()
    }

    /// Libmicrohttpd sees this as the client's end and cleans up.
    func cut() {
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Before the socket is closed.
    func close() throws(SystemError) {
        if isWatched { try loop.unwatch(self) }
    }

    /// False if libmicrohttpd does not take the response.
    func queue(_ response: borrowing PreparedResponse, status: Int) -> Bool {
        MHD_queue_response(handle, UInt32(status), response.handle) == cmhd_yes
    }

    func scanHead(_ line: HeadScan.RequestLine) -> HeadScan? { HeadScan(line, of: handle) }
}
