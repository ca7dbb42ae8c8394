import Glibc
import Platform
import Testing

@Suite struct PollerTests {
    @Test func `a signal wakes the poller once per drain`() throws {
        let poller = try Poller()
        let signal = try EventSignal()
        try poller.add(signal.fileDescriptor, token: 7)
        #expect(try poller.wait(until: .now()).isEmpty)
        signal.signal()
        signal.signal()
        let events = try poller.wait(until: nil)
        #expect(events.map(\.token) == [7])
        #expect(events.first?.isReadable == true)
        signal.drain()
        #expect(try poller.wait(until: .now()).isEmpty)
    }

    @Test func `a closed peer is reported`() throws {
        let poller = try Poller()
        let (left, right) = try SocketPair().split()
        let kept = Descriptor(adopting: left)
        try poller.add(kept.rawValue, token: 1)
        #expect(close(right) == 0)
        let event = try #require(try poller.wait(until: nil).first)
        #expect(event.isClosed)
        try poller.remove(kept.rawValue)
        #expect(try poller.wait(until: .now()).isEmpty)
    }

    @Test func `a peer that sends its last byte is reported once, and its bytes are not`() throws {
        let poller = try Poller()
        let (left, right) = try SocketPair().split()
        let kept = Descriptor(adopting: left)
        let peer = Descriptor(adopting: right)
        try poller.add(kept.rawValue, token: 1, interest: .peerClosed)
        #expect(write(peer.rawValue, "x", 1) == 1)
        #expect(try poller.wait(until: .now()).isEmpty)
        #expect(shutdown(peer.rawValue, Int32(SHUT_WR)) == 0)
        #expect(try poller.wait(until: nil).map(\.isClosed) == [true])
        #expect(try poller.wait(until: .now()).isEmpty)
    }

    @Test func `an unknown descriptor is a typed error`() throws {
        let poller = try Poller()
        #expect(throws: SystemError("epoll_ctl", code: EBADF)) { try poller.add(9999, token: 1) }
    }
}
