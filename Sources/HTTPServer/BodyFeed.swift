import CMicroHTTPD
import Platform
import Synchronization

/// Feeds a response's body to libmicrohttpd, piece by piece: from a stream, or from bytes that are too many to be copied.
/// Belongs to the server's thread, but for its inbox.
final class BodyFeed {
    private enum State { case open, ended, failed }

    private let connection: Connection
    private let stream: (any HTTPBodyStream)?
    private let inbox: Inbox
    private var state: State
    private var piece: [UInt8]
    private var offset = 0
    private var isPartDue = false
    /// Bytes that libmicrohttpd has taken.
    private(set) var taken = 0

    init(stream: any HTTPBodyStream, connection: Connection, ticket: Ticket, mailbox: Mailbox) {
        self.connection = connection
        self.stream = stream
        inbox = Inbox(mailbox: mailbox, ticket: ticket)
        state = .open
        piece = []
    }

    init(bytes: [UInt8], connection: Connection, ticket: Ticket, mailbox: Mailbox) {
        self.connection = connection
        stream = nil
        inbox = Inbox(mailbox: mailbox, ticket: ticket)
        state = .ended
        piece = bytes
    }

    /// Fills the buffer with what is there, many small pieces together, and suspends the connection if nothing is.
    /// Answers as libmicrohttpd's content reader does.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < buffer.count {
            if offset < piece.count {
                let count = min(piece.count - offset, buffer.count - filled)
                let target = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(filled + count)])
                piece.withUnsafeBytes {
                    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + count)]))
                }
                offset += count
                filled += count
                taken += count
            } else if state != .open {
                if filled > 0 { return filled }
                return state == .ended ? cmhd_end_of_stream : cmhd_end_with_error
            } else if let part = nextPart(mayPark: filled == 0) {
                take(part)
            } else {
                if filled == 0, state == .open { connection.suspend() }
                if filled == 0, state == .failed { return cmhd_end_with_error }
                return filled
            }
        }
        return filled
    }

    /// No more bytes will be taken. Safe to repeat.
    func cancel() {
        guard state == .open else { return }
        state = .failed
        stream?.cancel()
    }

    private func nextPart(mayPark: Bool) -> HTTPBodyPart? {
        if !isPartDue {
            isPartDue = true
            stream?.next { [inbox] part in inbox.deliver(part) }
        }
        // Nobody would wake a connection whose end has been reported already.
        if mayPark, connection.isBroken || connection.isServerStopping {
            guard let part = inbox.take(orPark: false) else {
                cancel()
                return nil
            }
            return part
        }
        return inbox.take(orPark: mayPark)
    }

    private func take(_ part: HTTPBodyPart) {
        isPartDue = false
        offset = 0
        switch part {
        case .bytes(let bytes):
            piece = bytes
        case .end:
            piece = []
            state = .ended
        case .failed:
            piece = []
            state = .failed
        }
    }

    /// Where the stream's part waits for the server's thread.
    private final class Inbox: Sendable {
        private struct State {
            var part: HTTPBodyPart?
            var isParked = false
        }

        private let state = Mutex(State())
        private let mailbox: Mailbox
        private let ticket: Ticket

        init(mailbox: Mailbox, ticket: Ticket) {
            self.mailbox = mailbox
            self.ticket = ticket
        }

        func deliver(_ part: HTTPBodyPart) {
            let (wakes, isSecond) = state.withLock { state in
                let isSecond = state.part != nil
                if !isSecond { state.part = part }
                defer { state.isParked = false }
                return (state.isParked, isSecond)
            }
            assert(!isSecond, "a part is delivered once per call")
            if wakes { mailbox.post(ticket) }
        }

        func take(orPark mayPark: Bool) -> HTTPBodyPart? {
            state.withLock { state in
                defer { state.part = nil }
                state.isParked = mayPark && state.part == nil
                return state.part
            }
        }
    }
}
