import CSystem
import Glibc

/// One epoll set, used by the one thread that owns it. Level-triggered.
package final class Poller {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let read = Interest(rawValue: EPOLLIN.rawValue)
        package static let write = Interest(rawValue: EPOLLOUT.rawValue)
        /// Only that the peer has sent its last byte or is gone, reported once: for a descriptor that somebody else reads.
        package static let peerClosed = Interest(rawValue: EPOLLRDHUP.rawValue | EPOLLET.rawValue)
    }

    package struct Event: Sendable {
        /// What the caller registered the descriptor with.
        package let token: UInt64
        package let isReadable: Bool
        package let isWritable: Bool
        /// The peer is gone or the descriptor failed; there may still be bytes to read.
        package let isClosed: Bool
        /// It is gone for good or the descriptor failed, and not only the peer's sending side has ended.
        package let isBroken: Bool
    }

    private let descriptor: Descriptor
    private var buffer: [epoll_event]

    package init(batch: Int = 128) throws(SystemError) {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard number >= 0 else { throw SystemError("epoll_create1") }
        descriptor = Descriptor(adopting: number)
        buffer = [epoll_event](repeating: epoll_event(), count: batch)
    }

    package func add(_ fileDescriptor: Int32, token: UInt64, interest: Interest = .read) throws(SystemError) {
        try control(EPOLL_CTL_ADD, fileDescriptor, token, interest)
    }

    package func modify(_ fileDescriptor: Int32, token: UInt64, interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_MOD, fileDescriptor, token, interest)
    }

    package func remove(_ fileDescriptor: Int32) throws(SystemError) {
        try control(EPOLL_CTL_DEL, fileDescriptor, 0, [])
    }

    /// Sleeps until something happens or `deadline` has passed (nil: for ever). An empty answer means the deadline, or a signal.
    package func wait(until deadline: MonotonicTime?) throws(SystemError) -> [Event] {
        let milliseconds: Int32
        if let deadline {
            // Rounded up, so that a wait never ends just before its deadline and spins.
            let left = (deadline - .now()).nanoseconds
            milliseconds = left <= 0 ? 0 : Int32(min(Int64(Int32.max), (left + 999_999) / 1_000_000))
        } else {
            milliseconds = -1
        }
        let count = epoll_wait(descriptor.rawValue, &buffer, Int32(buffer.count), milliseconds)
        if count < 0 {
            if errno == EINTR { return [] }
            throw SystemError("epoll_wait")
        }
        return buffer[..<Int(count)].map { event in
            Event(
                token: event.data.u64,
                isReadable: event.events & EPOLLIN.rawValue != 0,
                isWritable: event.events & EPOLLOUT.rawValue != 0,
                isClosed: event.events & (EPOLLHUP.rawValue | EPOLLERR.rawValue | EPOLLRDHUP.rawValue) != 0,
                isBroken: event.events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0)
        }
    }

    private func control(
        _ operation: Int32, _ fileDescriptor: Int32, _ token: UInt64, _ interest: Interest
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = token
        guard epoll_ctl(descriptor.rawValue, operation, fileDescriptor, &event) == 0 else {
            throw SystemError("epoll_ctl")
        }
    }
}
