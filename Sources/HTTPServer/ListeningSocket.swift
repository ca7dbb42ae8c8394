import CMicroHTTPD
import Glibc
import Platform

/// A bound, listening, non-blocking TCP socket.
struct ListeningSocket: ~Copyable {
    let descriptor: Descriptor
    /// The port it got, also if any was asked for.
    let port: Int

    /// Binds the first address that the host stands for and that can be bound.
    init(host: String, port: Int) throws(HTTPServerError) {
        guard (0...65_535).contains(port) else {
            throw .cannotListen(host: host, port: port, reason: "a port is a number from 0 to 65535")
        }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw .cannotListen(host: host, port: port, reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(list) }
        var failure: Int32 = EADDRNOTAVAIL
        var candidate = list
        while let address = candidate?.pointee {
            if let number = Self.listen(address, failure: &failure) {
                descriptor = Descriptor(adopting: number)
                self.port = Self.boundPort(of: number) ?? port
                return
            }
            candidate = address.ai_next
        }
        let reason =
            failure == EADDRINUSE ? "another program is using this port" : String(cString: strerror(failure))
        throw .cannotListen(host: host, port: port, reason: reason)
    }

    /// Gives the descriptor to a new owner.
    consuming func release() -> Int32 { descriptor.release() }

    private static func listen(_ address: addrinfo, failure: inout Int32) -> Int32? {
        let kind = address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(address.ai_family, kind, address.ai_protocol)
        guard number >= 0 else {
            failure = errno
            return nil
        }
        var on: Int32 = 1
        var off: Int32 = 0
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Inherited by every connection: a client that vanished without a word is noticed within two minutes.
        var (idle, interval, count): (Int32, Int32, Int32) = (30, 10, 3)
        setsockopt(number, SOL_SOCKET, SO_KEEPALIVE, &on, size)
        setsockopt(number, Int32(IPPROTO_TCP), TCP_KEEPIDLE, &idle, size)
        setsockopt(number, Int32(IPPROTO_TCP), TCP_KEEPINTVL, &interval, size)
        setsockopt(number, Int32(IPPROTO_TCP), TCP_KEEPCNT, &count, size)
        // A restart must not wait for old connections to be forgotten. No option can fail on a TCP socket.
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, size)
        if address.ai_family == AF_INET6 {
            setsockopt(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, size)
        }
        guard bind(number, address.ai_addr, address.ai_addrlen) == 0, Glibc.listen(number, 4096) == 0 else {
            failure = errno
            close(number)
            return nil
        }
        return number
    }

    private static func boundPort(of number: Int32) -> Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getsockname(number, address, &length) == 0 else { return nil }
                return NetworkAddress.port(of: address)
            }
        }
    }
}

/// Reads what the socket API fills in.
enum NetworkAddress {
    /// The IP address as text; an IPv4 address that came through an IPv6 socket reads as IPv4.
    static func text(of address: UnsafePointer<sockaddr>) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                var binary = address.pointee.sin_addr
                inet_ntop(AF_INET, &binary, &buffer, socklen_t(buffer.count))
            }
        case AF_INET6:
            address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                var binary = address.pointee.sin6_addr
                inet_ntop(AF_INET6, &binary, &buffer, socklen_t(buffer.count))
            }
        default:
            return "unknown"
        }
        let text = buffer.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? "unknown"
        }
        return text.hasPrefix("::ffff:") && text.contains(".") ? String(text.dropFirst(7)) : text
    }

    static func port(of address: UnsafePointer<sockaddr>) -> Int? {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { Int(UInt16(bigEndian: $0.pointee.sin_port)) }
        case AF_INET6:
            address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin6_port))
            }
        default:
            nil
        }
    }
}
