import Glibc
import Platform
import Synchronization
import Testing

/// Signals are sent to one thread only: the others of this process do not block them.
@Suite struct SignalsTests {
    private static func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) throws -> Result {
        let result = Mutex<Result?>(nil)
        try OwnedThread(name: "signals-test") {
            let value = body()
            result.withLock { $0 = value }
        }.join()
        return try #require(result.withLock { $0 })
    }

    /// The number of the calling thread, which is the last part of a link.
    private static var thread: Int32 {
        var bytes = [CChar](repeating: 0, count: 64)
        guard readlink("/proc/thread-self", &bytes, bytes.count - 1) > 0 else { return -1 }
        return strrchr(bytes, 47).map { atoi($0 + 1) } ?? -1
    }

    @Test func `what a process has sent names it`() throws {
        let arrivals = try Self.onThread {
            let signals = Signals(blocking: [SIGUSR2, SIGTERM])
            return [SIGUSR2, SIGTERM, SIGUSR2].map { number in
                pthread_kill(pthread_self(), number)
                return signals.next()
            }
        }
        #expect(arrivals == [SIGUSR2, SIGTERM, SIGUSR2].map { Signals.Arrival($0, from: .process(getpid())) })
    }

    @Test func `what the kernel has sent is known`() throws {
        let (left, right) = try SocketPair().split()
        let local = Descriptor(adopting: left)
        let remote = Descriptor(adopting: right)
        let (watched, writing) = (local.rawValue, remote.rawValue)
        let arrival = try Self.onThread {
            let signals = Signals(blocking: [SIGIO])
            // F_SETOWN_EX: readiness is told to this thread.
            var owner: (type: Int32, thread: Int32) = (0, Self.thread)
            let isSet = withUnsafeMutablePointer(to: &owner) { fcntl(watched, 15, UnsafeMutableRawPointer($0)) == 0 }
            guard isSet, fcntl(watched, F_SETFL, O_ASYNC) == 0, write(writing, "x", 1) == 1 else {
                return Signals.Arrival(0, from: .process(0))
            }
            return signals.next()
        }
        #expect(arrival == Signals.Arrival(SIGIO, from: .kernel))
    }

    @Test func `who was started to ignore a signal knows it`() throws {
        let ignored = try Self.onThread {
            // Nobody minds this one.
            signal(SIGWINCH, SIG_IGN)
            defer { signal(SIGWINCH, SIG_DFL) }
            return Signals(blocking: [SIGWINCH, SIGUSR2]).ignored
        }
        #expect(ignored == [SIGWINCH])
    }
}
