import CSystem
import Glibc

// What this process writes and a command reads. The process must ignore SIGPIPE.

extension Pipe {
    /// A pipe of which only the end for writing does not block.
    package static func toCommand() throws(SystemError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard csystem_pipe(&ends) == 0 else { throw SystemError("pipe2") }
        let reading = Descriptor(adopting: ends[0])
        let writing = Descriptor(adopting: ends[1])
        try writing.setNonBlocking()
        return (reading.release(), writing.release())
    }

    /// One `write`; a part of the bytes may be taken.
    package static func write(_ end: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> SocketTransfer.Sent
    {
        while true {
            let count = Glibc.write(end, bytes.baseAddress, bytes.count)
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothing
            case EPIPE: return .end
            default: throw SystemError("write")
            }
        }
    }

    /// How many bytes nobody has read yet; either end will do, also when the other one is closed.
    package static func unreadBytes(_ end: Int32) throws(SystemError) -> Int {
        Int(try retryingOnInterrupt("ioctl(FIONREAD)") { csystem_unread_bytes(end) })
    }
}
