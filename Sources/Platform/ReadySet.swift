import Glibc

/// Sleeps until one of a few descriptors is ready: for sets that are made anew for each wait and are used once.
package struct ReadySet {
    private var entries: [pollfd] = []

    package init() {}

    package mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    package mutating func watchReading(_ descriptor: Int32) { watch(descriptor, POLLIN) }

    package mutating func watchWriting(_ descriptor: Int32) { watch(descriptor, POLLOUT) }

    private mutating func watch(_ descriptor: Int32, _ events: Int32) {
        entries.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
    }

    /// - Parameter milliseconds: at most so long; -1: for ever.
    package mutating func wait(milliseconds: Int32 = -1) throws(SystemError) {
        while true {
            let count = poll(&entries, nfds_t(entries.count), milliseconds)
            if count >= 0 { return }
            if errno != EINTR { throw SystemError("poll") }
        }
    }

    /// Whether a call on the descriptor does not wait now; it may fail, or find the end.
    package func isReady(_ descriptor: Int32) -> Bool {
        entries.contains { $0.fd == descriptor && $0.revents != 0 }
    }
}
