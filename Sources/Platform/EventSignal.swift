import CSystem
import Glibc

/// Wakes a thread that sleeps in a `Poller` or in `wait`: an eventfd. Signals before a drain count as one.
package final class EventSignal: Sendable {
    private let descriptor: Descriptor

    package init() throws(SystemError) {
        let number = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard number >= 0 else { throw SystemError("eventfd") }
        descriptor = Descriptor(adopting: number)
    }

    /// To be watched for reading. Valid while the signal lives.
    package var fileDescriptor: Int32 { descriptor.rawValue }

    package func signal() {
        // Fails only when the counter is full, and then the reader is awake anyway.
        _ = eventfd_write(descriptor.rawValue, 1)
    }

    package func drain() {
        var count: eventfd_t = 0
        _ = eventfd_read(descriptor.rawValue, &count)
    }

    /// Sleeps until somebody signals, or has signalled since the last `drain`.
    package func wait() {
        var watched = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
        while poll(&watched, 1, -1) < 0 && errno == EINTR {}
    }
}
