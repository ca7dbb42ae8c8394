import Glibc

/// The descriptors 0, 1 and 2.
package enum StandardStreams {
    /// Opens `/dev/null` in the place of those that the caller closed, so that no file of the program's own gets their numbers and
    /// what is meant for a person lands in it. To be called first of all.
    package static func fillGaps() {
        for number: Int32 in 0...2 where fcntl(number, F_GETFD) == -1 {
            // The lowest free number is the missing one. Without /dev/null there is nothing better to do than to go on.
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// Makes `descriptor` the stream with this number, for what this process starts, too.
    package static func replace(_ number: Int32, by descriptor: consuming Descriptor) throws(SystemError) {
        let source = descriptor.rawValue
        try retryingOnInterrupt("dup2") { dup2(source, number) }
    }
}

/// The last resort of processes that have no logger: one line on standard error.
package enum StandardError {
    package static func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        // There is nobody to tell if this fails.
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
