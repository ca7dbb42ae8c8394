import Glibc

/// The sole owner of one file descriptor: closed exactly once, when the owner goes away.
package struct Descriptor: ~Copyable, Sendable {
    /// The raw number, for system calls. It is only valid while the owner lives.
    package let rawValue: Int32

    /// Takes over `rawValue`, which nobody else may close.
    package init(adopting rawValue: Int32) {
        precondition(rawValue >= 0, "a descriptor is not negative")
        self.rawValue = rawValue
    }

    /// Gives the number away without closing it, to a new owner or across an exec.
    package consuming func release() -> Int32 {
        let number = rawValue
        discard self
        return number
    }

    deinit {
        _ = Glibc.close(rawValue)
    }

    package borrowing func setNonBlocking() throws(SystemError) {
        let number = rawValue
        let flags = try retryingOnInterrupt("fcntl(F_GETFL)") { fcntl(number, F_GETFL) }
        try retryingOnInterrupt("fcntl(F_SETFL)") { fcntl(number, F_SETFL, flags | O_NONBLOCK) }
    }
}

/// Two connected sockets, both closed on exec.
package struct SocketPair: ~Copyable {
    package enum Kind: Sendable {
        /// A stream of bytes.
        case stream
        /// Messages that arrive whole and in order, each at most about 200 KiB.
        case messages
    }

    package let left: Descriptor
    package let right: Descriptor

    package init(_ kind: Kind = .stream) throws(SystemError) {
        let type = kind == .stream ? Int32(SOCK_STREAM.rawValue) : Int32(SOCK_SEQPACKET.rawValue)
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) { raw in
            socketpair(
                AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue), 0,
                raw.baseAddress?.assumingMemoryBound(to: Int32.self))
        }
        guard result == 0 else { throw SystemError("socketpair") }
        left = Descriptor(adopting: ends.0)
        right = Descriptor(adopting: ends.1)
    }

    /// Hands out both ends: keep one, pass the other on.
    package consuming func split() -> (left: Int32, right: Int32) {
        (left.release(), right.release())
    }
}
