import Glibc
import Platform
import Synchronization

/// A request as a test's listener received it.
package struct ReceivedRequest: Sendable {
    package var method: String
    package var target: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// Counts the connections from 0.
    package var connection: Int

    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// What the listener does about a request.
package enum LocalReply: Sendable {
    /// A complete answer; the connection stays open.
    case respond(_ status: Int, headers: [(String, String)] = [], body: String = "")
    /// These bytes, then the end of the connection.
    case raw(String)
    /// A head of that status, then a body until the client goes away.
    case endless(_ status: Int)
    /// No answer until the client goes away.
    case hang
}

/// A minimal HTTP listener on a free loopback port, for tests of clients. It knows nothing of the code under test.
package final class LocalListener: Sendable {
    private struct State {
        var requests: [ReceivedRequest] = []
        var connections: [Int32] = []
        var threads: [OwnedThread] = []
    }

    package let port: Int
    private let socket: Descriptor
    private let state = Monitor(State())
    private let acceptor = Mutex<OwnedThread?>(nil)
    private let reply: @Sendable (ReceivedRequest) -> LocalReply

    /// - Parameter reply: called on the connection's thread, several at once.
    package init(_ reply: @escaping @Sendable (ReceivedRequest) -> LocalReply) throws {
        self.reply = reply
        let number = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        let socket = Descriptor(adopting: number)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutableBytes(of: &address) { raw -> Int32 in
            let pointer = raw.assumingMemoryBound(to: sockaddr.self).baseAddress
            if bind(number, pointer, length) != 0 || listen(number, 128) != 0 { return -1 }
            return getsockname(number, pointer, &length)
        }
        guard result == 0 else { throw SystemError("bind") }
        port = Int(UInt16(bigEndian: address.sin_port))
        self.socket = socket
        let thread = try OwnedThread(name: "listener") { [self] in accept() }
        acceptor.withLock { $0 = thread }
    }

    package var url: String { "http://127.0.0.1:\(port)" }
    package var requests: [ReceivedRequest] { state.withLock { $0.requests } }

    /// The requests so far, as soon as there are `count`; fewer if the deadline passes first.
    package func requests(atLeast count: Int, within seconds: Double = 20) -> [ReceivedRequest] {
        let deadline = MonotonicTime.now() + TimeSpan(seconds: seconds)
        return state.wait { state in
            state.requests.count >= count || MonotonicTime.now() >= deadline
                ? .done(state.requests) : .sleep(until: deadline)
        }
    }

    /// Ends all connections and waits for the threads.
    package func stop() {
        shutdown(socket.rawValue, Int32(SHUT_RDWR))
        acceptor.withLock { $0 }?.join()
        let threads = state.withLock { state in
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
            return state.threads
        }
        for thread in threads { thread.join() }
    }

    private func accept() {
        var count = 0
        while true {
            let number = Glibc.accept(socket.rawValue, nil, nil)
            guard number >= 0 else { return }
            let index = count
            count += 1
            state.withLock { $0.connections.append(number) }
            guard
                let thread = try? OwnedThread(name: "connection", { [self] in serve(number, index: index) })
            else {
                end(number)
                return
            }
            state.withLock { $0.threads.append(thread) }
        }
    }

    private func serve(_ number: Int32, index: Int) {
        var connection = Connection(number: number)
        while let request = connection.readRequest(index: index) {
            state.withLock { $0.requests.append(request) }
            state.notifyAll()
            guard connection.write(reply(request)) else { break }
        }
        end(number)
    }

    private func end(_ number: Int32) {
        state.withLock { $0.connections.removeAll { $0 == number } }
        close(number)
    }
}
