import CSystem
import Glibc

/// A pipe whose two ends are closed on exec. The end for reading does not block.
package struct Pipe: ~Copyable {
    package let reading: Descriptor
    package let writing: Descriptor

    package init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard csystem_pipe(&ends) == 0 else { throw SystemError("pipe2") }
        let reading = Descriptor(adopting: ends[0])
        let writing = Descriptor(adopting: ends[1])
        try reading.setNonBlocking()
        self.reading = reading
        self.writing = writing
    }

    /// Hands out both ends: keep one, pass the other on.
    package consuming func split() -> (reading: Int32, writing: Int32) {
        (reading.release(), writing.release())
    }

    /// Reads once into `buffer`, which must not be empty. What cannot be read any more counts as ended.
    package static func read(_ end: Int32, into buffer: UnsafeMutableRawBufferPointer) -> SocketTransfer.Received {
        while true {
            let count = Glibc.read(end, buffer.baseAddress, buffer.count)
            if count > 0 { return .bytes(count) }
            if count < 0 && errno == EINTR { continue }
            return count < 0 && errno == EAGAIN ? .nothing : .end
        }
    }
}
