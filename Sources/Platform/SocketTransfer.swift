import CSystem
import Glibc

/// Sending and receiving on sockets, without SIGPIPE.
package enum SocketTransfer {
    package enum Received: Equatable, Sendable {
        /// At least one byte came.
        case bytes(Int)
        /// Nothing is there now (only on a non-blocking descriptor).
        case nothing
        /// The other end is closed, or gone.
        case end
    }

    package enum Sent: Equatable, Sendable {
        case bytes(Int)
        /// The buffer of the socket is full (only on a non-blocking descriptor).
        case nothing
        /// Nobody reads any more.
        case end
    }

    /// One `recv` into `buffer`, which must not be empty.
    package static func receive(
        _ socket: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Received {
        while true {
            let count = recv(socket, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothing
            case ECONNRESET: return .end
            default: throw SystemError("recv")
            }
        }
    }

    /// One `sendmsg` of two pieces one behind the other; a part of them may be taken.
    package static func send(
        _ socket: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) throws(SystemError) -> Sent {
        while true {
            let count = csystem_send(
                socket, first.baseAddress, first.count, second.baseAddress, second.count, nil, 0)
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothing
            case EPIPE, ECONNRESET: return .end
            default: throw SystemError("sendmsg")
            }
        }
    }

    /// Sends all of both pieces on a blocking socket. Throws, with `EPIPE`, when nobody reads any more.
    package static func sendAll(
        _ socket: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) throws(SystemError) {
        var sent = 0
        let total = first.count + second.count
        while sent < total {
            let head = UnsafeRawBufferPointer(rebasing: first[min(sent, first.count)...])
            let tail = UnsafeRawBufferPointer(rebasing: second[max(0, sent - first.count)...])
            switch try head.isEmpty ? send(socket, tail) : send(socket, head, tail) {
            case .bytes(let count): sent += count
            case .end: throw SystemError("sendmsg", code: EPIPE)
            case .nothing: throw SystemError("sendmsg", code: EAGAIN)
            }
        }
    }

    /// Sends one message with descriptors attached; the receiver gets duplicates. False: it does not fit now, or nobody reads.
    package static func sendMessage(
        _ socket: Int32, _ bytes: [UInt8], descriptors: [Int32] = []
    ) throws(SystemError) -> Bool {
        let result = bytes.withUnsafeBytes { raw in
            repeatedOnInterrupt {
                csystem_send(socket, raw.baseAddress, raw.count, nil, 0, descriptors, Int32(descriptors.count))
            }
        }
        if result >= 0 { return true }
        if [EAGAIN, EPIPE, ECONNRESET].contains(errno) { return false }
        throw SystemError("sendmsg")
    }

    package struct Message: Sendable {
        package let bytes: [UInt8]
        /// The receiver owns them: adopt each one.
        package let descriptors: [Int32]
    }

    package enum ReceivedMessage: Sendable {
        case message(Message)
        case nothing
        case end
    }

    /// Receives one message with at most eight descriptors. What is longer than `limit` is cut off.
    package static func receiveMessage(_ socket: Int32, limit: Int) throws(SystemError) -> ReceivedMessage {
        var bytes = [UInt8](repeating: 0, count: limit)
        var descriptors = [Int32](repeating: -1, count: 8)
        var descriptorCount: Int32 = 0
        let count = repeatedOnInterrupt {
            csystem_receive(socket, &bytes, limit, &descriptors, Int32(descriptors.count), &descriptorCount)
        }
        if count < 0 {
            if errno == EAGAIN { return .nothing }
            if errno == ECONNRESET { return .end }
            throw SystemError("recvmsg")
        }
        if count == 0 { return .end }
        bytes.removeLast(limit - count)
        return .message(Message(bytes: bytes, descriptors: Array(descriptors[..<Int(descriptorCount)])))
    }

    /// Whether this number is an open stream socket.
    package static func isStream(_ socket: Int32) -> Bool {
        var type: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == Int32(SOCK_STREAM.rawValue)
    }

    /// Asks for a larger send buffer; the kernel gives as much of it as it allows.
    package static func enlargeSendBuffer(_ socket: Int32, bytes: Int) {
        var size = Int32(clamping: bytes)
        _ = setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func repeatedOnInterrupt(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result != -1 || errno != EINTR { return result }
        }
    }
}
