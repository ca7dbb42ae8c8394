import Glibc
import Testing

@testable import Platform

@Suite struct SocketTransferTests {
    @Test func messagesKeepTheirBordersAndCarryDescriptors() throws {
        let pair = try SocketPair(.messages)
        let memory = try MemoryFile.make(name: "passed", size: 4096)
        #expect(try SocketTransfer.sendMessage(pair.left.rawValue, [1, 2], descriptors: [memory.rawValue]))
        #expect(try SocketTransfer.sendMessage(pair.left.rawValue, [3]))
        guard case .message(let first) = try SocketTransfer.receiveMessage(pair.right.rawValue, limit: 10),
            case .message(let second) = try SocketTransfer.receiveMessage(pair.right.rawValue, limit: 10)
        else {
            Issue.record("no messages")
            return
        }
        #expect(first.bytes == [1, 2])
        #expect(second.bytes == [3])
        #expect(second.descriptors.isEmpty)
        let copy = Descriptor(adopting: try #require(first.descriptors.first))
        var status = stat()
        #expect(fstat(copy.rawValue, &status) == 0 && status.st_size == 4096)
        #expect(fcntl(copy.rawValue, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func twoPiecesArriveAsOneStream() throws {
        let pair = try SocketPair()
        let first: [UInt8] = [1, 2]
        let second: [UInt8] = [3, 4, 5]
        try first.withUnsafeBytes { first in
            try second.withUnsafeBytes { second in try SocketTransfer.sendAll(pair.left.rawValue, first, second) }
        }
        var buffer = [UInt8](repeating: 0, count: 10)
        let received = try buffer.withUnsafeMutableBytes {
            try SocketTransfer.receive(pair.right.rawValue, into: $0)
        }
        #expect(received == .bytes(5))
        #expect(buffer[..<5] == [1, 2, 3, 4, 5])
    }

    @Test func aClosedPeerIsAnEndAndNotASignal() throws {
        let (left, right) = try SocketPair().split()
        let own = Descriptor(adopting: right)
        close(left)
        #expect(try [1].withUnsafeBytes { try SocketTransfer.send(own.rawValue, $0) } == .end)
        #expect(throws: SystemError("sendmsg", code: EPIPE)) {
            try [1].withUnsafeBytes { try SocketTransfer.sendAll(own.rawValue, $0) }
        }
    }

    @Test func signalsHaveNames() {
        #expect(SignalName.of(SIGSEGV) == "SIGSEGV")
        #expect(SignalName.of(40) == "SIG40")
        #expect(SignalName.number(of: "SIGTERM") == SIGTERM)
        #expect(SignalName.number(of: "TERM") == SIGTERM)
        #expect(SignalName.number(of: "NO") == nil)
    }
}
