import CMicroHTTPD
import Glibc
import Logging
import Platform

/// Drives libmicrohttpd on the server's thread: sleeps until a socket, a message or a deadline has something to say.
///
/// Libmicrohttpd's own loop is not used: with one thread it stalls beyond 128 connections, and it has no room for the
/// mailbox, the absolute deadlines, and the clients that leave while they wait.
final class ServerLoop {
    let configuration: HTTPServerConfiguration
    let handler: any HTTPHandler
    let mailbox: Mailbox
    let logger: Logger
    let port: Int
    private(set) var isQuiesced = false
    private(set) var isStopping = false

    private let onQuiesced: () -> Void
    private let poller: Poller
    private var daemon: OpaquePointer?
    private var connections: [UInt64: Connection] = [:]
    private var lastConnection: UInt64 = 1
    private var lastExchange: UInt64 = 0
    private var hasClosed = false
    /// When this turn of the loop began.
    private(set) var now = MonotonicTime.now()
    /// How many requests wait awake, and how many connections are moving something large.
    private var awake = 0
    private var bulky = 0
    var bodies: BodyBudget
    /// Connections whose clients have sent their last byte, which libmicrohttpd is to be told behind its next run.
    private var ended: [UInt64] = []
    /// Of the request whose line came last.
    private var lastBegun: UInt64 = 0
    /// No deadline of a connection is earlier. It may be too early, never too late.
    private var nextReap = never

    private static let never = MonotonicTime(nanoseconds: .max)
    private static let daemonToken: UInt64 = 0
    private static let mailboxToken: UInt64 = 1
    /// How long the last answers may take when the server stops.
    private static let farewellTime = TimeSpan(seconds: 1)
    /// Each costs a call with every run of libmicrohttpd.
    private static let maximumAwake = 128
    /// How long the loop sleeps at most while somebody waits awake. Milliseconds.
    private static let awakeStep: Int64 = 1
    /// Descriptors that the rest of the process needs beside connections.
    private static let reservedDescriptors = 128

    init(
        configuration: HTTPServerConfiguration, handler: any HTTPHandler, mailbox: Mailbox, logger: Logger,
        onQuiesced: @escaping () -> Void
    ) throws {
        self.configuration = configuration
        self.handler = handler
        self.mailbox = mailbox
        self.logger = logger
        self.onQuiesced = onQuiesced
        bodies = BodyBudget(limit: configuration.bodyBudget)
        let connectionLimit = try Self.affordableConnections(configuration.connectionLimit, logger: logger)
        poller = try Poller()
        let listener = try configuration.listener ?? HTTPListener(host: configuration.host, port: configuration.port)
        guard let socket = listener.take() else { throw HTTPServerError.startedTwice }
        port = listener.port
        var options = cmhd_options(
            listening_socket: socket, connection_limit: UInt32(clamping: connectionLimit),
            address_limit: UInt32(clamping: configuration.perAddressLimit ?? 0),
            connection_memory_bytes: configuration.connectionMemoryBytes,
            idle_timeout_seconds: UInt32(min(max(1, configuration.idleTimeout.seconds), 4e9)),
            context: Unmanaged.passUnretained(self).toOpaque(), access: Trampolines.access,
            request_line: Trampolines.requestLine, request_ended: Trampolines.requestEnded,
            connection_changed: Trampolines.connectionChanged, log: Trampolines.log)
        guard let daemon = cmhd_start(&options) else { throw HTTPServerError.cannotStart }
        self.daemon = daemon
        do {
            try poller.add(cmhd_epoll_descriptor(daemon), token: Self.daemonToken)
            try poller.add(mailbox.signal.fileDescriptor, token: Self.mailboxToken)
        } catch {
            stopDaemon(daemon)
            throw error
        }
    }

    /// Returns when the mailbox asks to stop.
    func run() throws {
        guard let daemon else { return }
        defer { stopDaemon(daemon) }
        while !isStopping {
            try turn(daemon, until: nil)
        }
        try sayFarewell(daemon)
    }

    private func turn(_ daemon: OpaquePointer, until limit: MonotonicTime?) throws {
        let events = try poller.wait(until: mailbox.prepareToSleep() ? earliestDeadline(daemon, limit) : now)
        now = .now()
        for event in events where event.token != Self.daemonToken {
            if event.token == Self.mailboxToken {
                mailbox.signal.drain()
            } else {
                connections[event.token]?.peerHasGone(isBroken: event.isBroken)
            }
        }
        read(mailbox.collect(), daemon)
        reap()
        // A closed connection may have made room for one that waits, which only a further run lets in.
        repeat {
            hasClosed = false
            MHD_run(daemon)
        } while hasClosed
        for id in ended { connections[id]?.reportEnd() }
        ended.removeAll(keepingCapacity: true)
    }

    private func earliestDeadline(_ daemon: OpaquePointer, _ limit: MonotonicTime?) -> MonotonicTime? {
        var milliseconds = cmhd_milliseconds_to_wait(daemon)
        // For libmicrohttpd, who waits awake wants to be asked again at once.
        if letsStayAwake, awake > 0 { milliseconds = Self.awakeStep }
        var earliest = min(nextReap, limit ?? Self.never)
        if milliseconds >= 0 { earliest = min(earliest, .now() + .milliseconds(milliseconds)) }
        return earliest == Self.never ? nil : earliest
    }

    private func read(_ mail: Mailbox.Mail, _ daemon: OpaquePointer) {
        for ticket in mail.tickets {
            guard let connection = connections[ticket.connection], connection.exchange?.number == ticket.exchange else {
                continue
            }
            connection.resume()
        }
        if mail.quiesce || mail.stop { quiesce(daemon) }
        if mail.stop { isStopping = true }
    }

    /// New connections are refused from here on, those that are there end with their next response.
    private func quiesce(_ daemon: OpaquePointer) {
        guard !isQuiesced else { return }
        isQuiesced = true
        let socket = MHD_quiesce_daemon(daemon)
        if socket >= 0 { Glibc.close(socket) }
        onQuiesced()
    }

    /// Answers what waits with 503, cuts streams, and gives the answers a moment to leave.
    private func sayFarewell(_ daemon: OpaquePointer) throws {
        for connection in connections.values {
            connection.exchange?.serverStops()
            connection.resume()
        }
        let limit = MonotonicTime.now() + Self.farewellTime
        repeat {
            MHD_run(daemon)
            guard connections.values.contains(where: { $0.exchange?.isAnswering == true }) else { return }
            try turn(daemon, until: limit)
        } while now < limit
    }

    /// Nothing may be suspended here, or libmicrohttpd panics.
    private func stopDaemon(_ daemon: OpaquePointer) {
        for connection in connections.values { connection.resume() }
        MHD_stop_daemon(daemon)
        self.daemon = nil
    }

    // MARK: What libmicrohttpd reports

    func open(_ handle: OpaquePointer) -> Connection {
        lastConnection += 1
        let connection = Connection(id: lastConnection, handle: handle, loop: self)
        connections[connection.id] = connection
        watchForEnd(of: connection)
        setDeadline(of: connection, after: configuration.headerTimeout)
        return connection
    }

    func close(_ connection: Connection) {
        if connection.exchange != nil { endExchange(on: connection) }
        do throws(SystemError) {
            try connection.close()
        } catch {
            logger.error("a connection could not be forgotten", metadata: ["error": "\(error)"])
        }
        connections[connection.id] = nil
        hasClosed = true
    }

    func beginExchange(on connection: Connection, target: UnsafeBufferPointer<UInt8>) -> Exchange {
        lastExchange += 1
        lastBegun = connection.id
        let exchange = connection.beginExchange(number: lastExchange, target: target)
        // The first head's time runs from the start of the connection.
        setDeadline(of: connection, noLaterThan: configuration.headerTimeout)
        return exchange
    }

    func endExchange(on connection: Connection) {
        connection.endExchange()
        // An idle connection ends after the idle time; one whose next request line drips in, after a head's time more.
        let span = configuration.idleTimeout.nanoseconds.addingReportingOverflow(
            configuration.headerTimeout.nanoseconds)
        setDeadline(of: connection, after: TimeSpan(nanoseconds: span.overflow ? .max : span.partialValue))
    }

    // MARK: Waiting for handlers

    /// One more request may wait awake.
    var letsWaitAwake: Bool { letsStayAwake && awake < Self.maximumAwake }

    /// Libmicrohttpd always wants to run again when somebody waits awake, so nobody can tell whether it has something to do. That
    /// is harmless only while nothing large is on its way, because what is small is moved in one run.
    var letsStayAwake: Bool { bulky == 0 }

    func countAwake(_ change: Int) { awake += change }
    func countBulky(_ change: Int) { bulky += change }

    // MARK: Ends of clients

    private func watchForEnd(of connection: Connection) {
        do throws(SystemError) {
            try poller.add(connection.socket, token: connection.id, interest: .peerClosed)
        } catch {
            logger.error("a client's end cannot be watched for", metadata: ["error": "\(error)"])
        }
    }

    /// Libmicrohttpd misses an end that arrives together with the last bytes: reading less than it has room for clears its
    /// readiness, and the edge was already reported. So it is reported again when those bytes have been read.
    func reportEnd(of connection: Connection) { ended.append(connection.id) }

    /// Libmicrohttpd 0.9.75 is about to refuse a length, and would send the head of its answer twice. It does not say of whom.
    func lengthIsRefused() {
        if let connection = connections[lastBegun], connection.refuseLength() { return }
        for connection in connections.values where connection.refuseLength() { return }
    }

    func unwatch(_ connection: Connection) throws(SystemError) {
        try poller.remove(connection.socket)
    }

    // MARK: Deadlines

    /// Nil: the connection may live for ever.
    func setDeadline(of connection: Connection, after span: TimeSpan?) {
        let deadline = span.map { now + $0 }
        connection.deadline = deadline
        if let deadline, deadline < nextReap { nextReap = deadline }
    }

    /// Keeps an earlier deadline.
    func setDeadline(of connection: Connection, noLaterThan span: TimeSpan) {
        if let deadline = connection.deadline, deadline <= now + span { return }
        setDeadline(of: connection, after: span)
    }

    /// Cuts connections whose time is up. Looks at all of them, but only when a deadline may have passed.
    private func reap() {
        guard now >= nextReap else { return }
        nextReap = Self.never
        for connection in connections.values {
            guard let deadline = connection.deadline else { continue }
            if deadline <= now {
                connection.deadline = nil
                if let more = connection.exchange?.timeOut() {
                    setDeadline(of: connection, after: more)
                } else {
                    connection.cut()
                }
            } else if deadline < nextReap {
                nextReap = deadline
            }
        }
    }

    private static func affordableConnections(_ wanted: Int, logger: Logger) throws(HTTPServerError) -> Int {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limits) == 0 else { return wanted }
        let allowed = Int(clamping: limits.rlim_cur)
        let affordable = allowed - reservedDescriptors
        guard affordable >= 16 else { throw .tooFewDescriptors(limit: allowed) }
        if affordable < wanted {
            logger.warning(
                "fewer connections than configured: the process may not open enough descriptors",
                metadata: ["configured": "\(wanted)", "connections": "\(affordable)", "descriptors": "\(allowed)"])
        }
        return min(wanted, affordable)
    }
}
