import Glibc
import HTTPClient
import Testing

@Suite struct AddressPolicyTests {
    @Test(arguments: [
        ("127.0.0.1", "loopback"), ("127.255.255.255", "loopback"), ("0.0.0.0", "this network"),
        ("0.1.2.3", "this network"), ("10.0.0.1", "private"), ("10.255.255.255", "private"),
        ("172.16.0.1", "private"), ("172.31.255.255", "private"), ("192.168.1.1", "private"),
        ("169.254.169.254", "link-local"), ("100.64.0.1", "shared by carriers"),
        ("100.127.255.255", "shared by carriers"), ("168.63.129.16", "a cloud's own service"),
        ("198.18.0.1", "for benchmarks"), ("198.19.255.255", "for benchmarks"), ("192.0.0.8", "reserved"),
        ("192.0.2.1", "for documentation"), ("224.0.0.1", "multicast"), ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"), ("255.255.255.255", "reserved"), ("::", "unspecified"), ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"), ("::ffff:10.0.0.1", "private"), ("::ffff:169.254.169.254", "link-local"),
        ("::127.0.0.1", "not global unicast"), ("64:ff9b::7f00:1", "NAT64"), ("64:ff9b::8.8.8.8", "NAT64"),
        ("64:ff9b:1::1", "NAT64"), ("64:ff9b:1:ffff::1", "NAT64"), ("2002:7f00:1::", "6to4"), ("2001::1", "Teredo"),
        ("2001:0:ffff::1", "Teredo"), ("2001:20::1", "reserved"), ("2001:db8::1", "for documentation"),
        ("fc00::1", "private"), ("fd00:ec2::254", "private"), ("fe80::1", "link-local"), ("fe80::1%eth0", "link-local"),
        ("febf::1", "link-local"), ("fec0::1", "site-local"), ("feff::1", "site-local"), ("ff02::1", "multicast"),
        ("100::1", "not global unicast"), ("4000::1", "not global unicast"), ("1fff::1", "not global unicast"),
    ])
    func refusesWhatIsNotGlobalUnicast(text: String, kind: String) throws {
        let address = try #require(NetworkAddress(text))
        #expect(AddressPolicy.globalUnicastOnly.refusal(of: address) == kind)
        #expect(AddressPolicy.any.refusal(of: address) == nil)
    }

    @Test(arguments: [
        "8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255",
        "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
        "::ffff:8.8.8.8", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450::1", "2003::1",
    ])
    func allowsPublicHosts(text: String) throws {
        let address = try #require(NetworkAddress(text))
        #expect(AddressPolicy.globalUnicastOnly.refusal(of: address) == nil)
    }

    @Test func exceptionsAreExact() throws {
        let policy = AddressPolicy.globalUnicast(and: try [#require(AddressRange("10.1.0.0/16"))])
        #expect(try policy.refusal(of: #require(NetworkAddress("10.1.2.3"))) == nil)
        #expect(try policy.refusal(of: #require(NetworkAddress("::ffff:10.1.2.3"))) == nil)
        #expect(try policy.refusal(of: #require(NetworkAddress("10.2.0.0"))) == "private")
        #expect(try policy.refusal(of: #require(NetworkAddress("127.0.0.1"))) == "loopback")
    }
}

@Suite struct NetworkAddressTests {
    @Test func readsSocketAddresses() {
        var ipv4 = sockaddr_in()
        ipv4.sin_family = sa_family_t(AF_INET)
        ipv4.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        #expect(withUnsafeBytes(of: ipv4) { NetworkAddress(socketAddress: $0) } == NetworkAddress("127.0.0.1"))
        #expect(withUnsafeBytes(of: ipv4) { NetworkAddress(socketAddress: .init(rebasing: $0[..<7])) } == nil)
        var ipv6 = sockaddr_in6()
        ipv6.sin6_family = sa_family_t(AF_INET6)
        inet_pton(AF_INET6, "::ffff:10.0.0.1", &ipv6.sin6_addr)
        #expect(withUnsafeBytes(of: ipv6) { NetworkAddress(socketAddress: $0) } == NetworkAddress("10.0.0.1"))
        inet_pton(AF_INET6, "2001:db8::5", &ipv6.sin6_addr)
        #expect(withUnsafeBytes(of: ipv6) { NetworkAddress(socketAddress: $0) } == NetworkAddress("2001:db8::5"))
        var local = sockaddr_un()
        local.sun_family = sa_family_t(AF_UNIX)
        #expect(withUnsafeBytes(of: local) { NetworkAddress(socketAddress: $0) } == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("::ffff:1.2.3.4", "1.2.3.4"), ("[2001:DB8:0::5]", "2001:db8::5"), ("::", "::"),
    ])
    func writesTheUsualForm(text: String, expected: String) throws {
        #expect(try #require(NetworkAddress(text)).description == expected)
    }

    @Test(arguments: ["", "localhost", "127.1", "0x7f.0.0.1", "1.2.3.4.5", ":::", "[::1"])
    func refusesOtherText(text: String) { #expect(NetworkAddress(text) == nil) }

    @Test(arguments: ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "::1/129", "10.0.0.0/8/8", "/8", "10.0.0.0/", "x/8"])
    func refusesWrongRanges(text: String) { #expect(AddressRange(text) == nil) }

    @Test(arguments: ["10.0.0.0/8", "127.0.0.1/32", "0.0.0.0/0", "2000::/3", "::/0"])
    func writesRanges(text: String) throws { #expect(try #require(AddressRange(text)).description == text) }
}
