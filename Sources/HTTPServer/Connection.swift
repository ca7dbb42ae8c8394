import CMicroHTTPD
import Glibc
import Platform

/// One client's socket while libmicrohttpd owns it. Belongs to the server's thread.
final class Connection {
    let id: UInt64
    let socket: Int32
    let remoteAddress: String
    /// The request that is on its way, if any.
    private(set) var exchange: Exchange?
    /// When the connection is cut, whatever it does until then. Set through the loop.
    var deadline: MonotonicTime?
    /// The client has sent its last byte. It may still read.
    private(set) var isPeerFinished = false
    /// The client is gone.
    private(set) var isBroken = false

    private enum Rest {
        case none
        /// Waits for its handler and is asked again with every run of libmicrohttpd, until then.
        case awake(until: MonotonicTime)
        /// Libmicrohttpd leaves it alone.
        case suspended
    }

    /// Most answers come within a commit. Until then, to be asked again costs less than to be suspended and resumed, which
    /// takes three system calls.
    private static let awakeTime = TimeSpan.milliseconds(20)

    private let handle: OpaquePointer
    private let loop: ServerLoop
    /// The object that stands for each request of this connection in turn.
    private var reusedExchange: Exchange?
    private var rest = Rest.none
    /// Its request or its response takes many runs of libmicrohttpd.
    private var isBulky = false

    init(id: UInt64, handle: OpaquePointer, loop: ServerLoop) {
        self.id = id
        self.handle = handle
        self.loop = loop
        socket = cmhd_socket(handle)
        remoteAddress = cmhd_client_address(handle).map { NetworkAddress.text(of: $0) } ?? "unknown"
    }

    var isServerStopping: Bool { loop.isStopping }

    func beginExchange(number: UInt64, target: UnsafeBufferPointer<UInt8>) -> Exchange {
        let exchange = reusedExchange ?? Exchange(connection: self, loop: loop)
        reusedExchange = exchange
        exchange.begin(number: number, target: target)
        self.exchange = exchange
        return exchange
    }

    func endExchange() {
        exchange?.finish()
        exchange = nil
        endRest()
        if isBulky { loop.countBulky(-1) }
        isBulky = false
        if isPeerFinished { loop.reportEnd(of: self) }
    }

    /// What is on its way here takes many runs of libmicrohttpd.
    func becomeBulky() {
        if !isBulky { loop.countBulky(1) }
        isBulky = true
    }

    /// The answer is not there yet: from now on, until `resume`, nothing of the request moves.
    func wait() {
        if loop.letsWaitAwake {
            rest = .awake(until: loop.now + Self.awakeTime)
            loop.countAwake(1)
        } else {
            suspend()
        }
    }

    /// False if nobody waits awake here: the answer has come, or the wait has to go on in suspension.
    func keepsWaiting() -> Bool {
        guard case .awake(let limit) = rest else { return false }
        if loop.now < limit, loop.letsStayAwake { return true }
        endRest()
        return false
    }

    /// Until `resume`, libmicrohttpd neither reads nor writes, nor sees the client go; the loop does.
    func suspend() {
        guard case .none = rest else { preconditionFailure("a connection rests once at a time") }
        rest = .suspended
        if isBulky { loop.countBulky(-1) }
        MHD_suspend_connection(handle)
    }

    func resume() {
        if case .suspended = rest { MHD_resume_connection(handle) }
        endRest()
    }

    private func endRest() {
        switch rest {
        case .none: return
        case .awake: loop.countAwake(-1)
        case .suspended: if isBulky { loop.countBulky(1) }
        }
        rest = .none
    }

    /// - Parameter isBroken: the client does not read any more either.
    func peerHasGone(isBroken: Bool) {
        if isBroken {
            self.isBroken = true
            guard case .suspended = rest else { return }
            exchange?.clientIsGone()
            resume()
        } else if !isPeerFinished {
            isPeerFinished = true
            loop.reportEnd(of: self)
        }
    }

    /// Part of a body is in and the rest is not.
    func expectsMore() {
        if isPeerFinished { loop.reportEnd(of: self) }
    }

    /// Libmicrohttpd finds the end when it reads the next time. Nothing that the client has sent is lost.
    func reportEnd() {
        shutdown(socket, Int32(SHUT_RD))
    }

    /// True if libmicrohttpd is about to refuse this request's length. The client then has its answer already, and gets no other.
    func refuseLength() -> Bool {
        guard cmhd_header_size(handle) > 0, let exchange, let length = cmhd_header(handle, "Content-Length") else {
            return false
        }
        return exchange.refuseLength(UnsafeBufferPointer(start: length, count: strlen(length)))
    }

    /// Drops what has come and was not read: closing the socket over it would take a refusal from the client again.
    func dropUnread() {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        for _ in 0..<16 where recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT)) <= 0 { return }
    }

    /// Bytes that were sent and that the client's system has not taken.
    var unsentBytes: Int { Int(cmhd_unsent(socket)) }

    /// Libmicrohttpd sees this as the client's end and cleans up.
    func cut() {
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Before the socket is closed.
    func close() throws(SystemError) {
        reusedExchange = nil
        try loop.unwatch(self)
    }

    /// False if libmicrohttpd does not take the response.
    func queue(_ response: borrowing PreparedResponse, status: Int) -> Bool {
        MHD_queue_response(handle, UInt32(status), response.handle) == cmhd_yes
    }

    /// A complete head, from its first byte to the end of the empty line. Valid during a callback of libmicrohttpd.
    func headBytes(from start: UnsafePointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: start, count: cmhd_header_size(handle))
    }

    /// Header fields that libmicrohttpd sees.
    var fieldCount: Int { Int(cmhd_header_count(handle)) }

    func scanHead(_ line: HeadScan.RequestLine) -> HeadScan? {
        HeadScan(line, of: handle, maximumWeight: loop.configuration.maximumHeadBytes)
    }
}
