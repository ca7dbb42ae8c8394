import Glibc

/// An IP address. IPv4 is held as its IPv4-mapped form in IPv6, so that both spellings of an address are the same value.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    package let bits: UInt128

    package init(bits: UInt128) { self.bits = bits }

    package init(ipv4: UInt32) { bits = 0xFFFF_0000_0000 | UInt128(ipv4) }

    /// Reads a socket address of the family `AF_INET` or `AF_INET6`; nil for others and for one that is too short.
    package init?(socketAddress: UnsafeRawBufferPointer) {
        guard socketAddress.count >= MemoryLayout<sa_family_t>.size else { return nil }
        switch Int32(socketAddress.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET where socketAddress.count >= MemoryLayout<sockaddr_in>.size:
            let address = socketAddress.loadUnaligned(as: sockaddr_in.self)
            self.init(ipv4: UInt32(bigEndian: address.sin_addr.s_addr))
        case AF_INET6 where socketAddress.count >= MemoryLayout<sockaddr_in6>.size:
            let address = socketAddress.loadUnaligned(as: sockaddr_in6.self)
            self.init(ipv6: address.sin6_addr)
        default: return nil
        }
    }

    /// Reads the usual text forms, with or without the brackets of a URL and with or without an IPv6 zone.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        if text.hasPrefix("[") && text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        if let zone = text.firstIndex(of: "%") { text = String(text[..<zone]) }
        var ipv4 = in_addr()
        var ipv6 = in6_addr()
        if inet_pton(AF_INET, text, &ipv4) == 1 {
            self.init(ipv4: UInt32(bigEndian: ipv4.s_addr))
        } else if inet_pton(AF_INET6, text, &ipv6) == 1 {
            self.init(ipv6: ipv6)
        } else {
            return nil
        }
    }

    private init(ipv6 address: in6_addr) {
        bits = withUnsafeBytes(of: address) { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
    }

    package var isIPv4: Bool { bits >> 32 == 0xFFFF }

    package var description: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if isIPv4 {
            var address = in_addr(s_addr: UInt32(truncatingIfNeeded: bits).bigEndian)
            inet_ntop(AF_INET, &address, &buffer, socklen_t(buffer.count))
        } else {
            var address = bits.bigEndian
            inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count))
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Consecutive addresses with a common prefix, such as `10.0.0.0/8`.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    package let first: NetworkAddress
    /// Of the 128 bits of the IPv6 form.
    private let prefixLength: Int

    /// Reads `ADDRESS/LENGTH`, or an address alone; nil if it is neither, or has bits set behind its prefix.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = NetworkAddress(parts[0]) else { return nil }
        let width = first.isIPv4 && !parts[0].contains(":") ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard let number = Int(parts[1]), (0...width).contains(number) else { return nil }
            length = number
        }
        self.first = first
        prefixLength = 128 - width + length
        guard first.bits & ~mask == 0 else { return nil }
    }

    package func contains(_ address: NetworkAddress) -> Bool { address.bits & mask == first.bits }

    package var description: String {
        "\(first)/\(first.isIPv4 && prefixLength >= 96 ? prefixLength - 96 : prefixLength)"
    }

    private var mask: UInt128 { prefixLength == 0 ? 0 : ~UInt128(0) << (128 - prefixLength) }
}
