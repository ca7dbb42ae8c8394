import Glibc
import Platform
import Testing

@Suite struct DescriptorTests {
    @Test func `an owner closes its descriptor when it goes away`() throws {
        let (left, right) = try SocketPair().split()
        do {
            let owner = Descriptor(adopting: left)
            #expect(fcntl(owner.rawValue, F_GETFD) == FD_CLOEXEC)
        }
        // The peer of a closed socket reads end of file; asking for the number itself could hit a reused one.
        var byte: UInt8 = 0
        #expect(read(right, &byte, 1) == 0)
        #expect(close(right) == 0)
    }

    @Test func `a non-blocking descriptor answers EAGAIN`() throws {
        let (left, right) = try SocketPair().split()
        let reader = Descriptor(adopting: left)
        let writer = Descriptor(adopting: right)
        try reader.setNonBlocking()
        var byte: UInt8 = 0
        #expect(read(reader.rawValue, &byte, 1) == -1)
        #expect(errno == EAGAIN)
        #expect(write(writer.rawValue, &byte, 1) == 1)
        #expect(read(reader.rawValue, &byte, 1) == 1)
    }
}
