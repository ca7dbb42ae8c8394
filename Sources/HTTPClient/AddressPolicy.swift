/// Which addresses a client may connect to. The decision falls on the resolved address, not on the name, so that no spelling
/// and no name server can lead a request into the network that the service itself lives in.
package struct AddressPolicy: Hashable, Sendable {
    private let allowsEverything: Bool
    private let exceptions: [AddressRange]

    package static let any = AddressPolicy(allowsEverything: true, exceptions: [])

    /// Only addresses that are global unicast: public hosts.
    package static let globalUnicastOnly = AddressPolicy(allowsEverything: false, exceptions: [])

    /// Global unicast and what the configuration allows besides.
    package static func globalUnicast(and ranges: [AddressRange]) -> AddressPolicy {
        AddressPolicy(allowsEverything: false, exceptions: ranges)
    }

    /// What kind of address it is that the policy refuses, such as `loopback`; nil: allowed.
    package func refusal(of address: NetworkAddress) -> String? {
        if allowsEverything || exceptions.contains(where: { $0.contains(address) }) { return nil }
        if let special = AddressPolicy.specialRanges.first(where: { $0.range.contains(address) }) {
            return special.kind
        }
        if address.isIPv4 || AddressPolicy.globalIPv6.contains(where: { $0.contains(address) }) { return nil }
        return "not global unicast"
    }

    /// The only part of IPv6 that is given out as global unicast (RFC 4291, IANA).
    private static let globalIPv6 = ["2000::/3"].compactMap { AddressRange($0) }

    /// Special-purpose addresses: the registries of IANA (RFC 6890), deprecated transition mechanisms that hide an IPv4
    /// address, and the metadata service of a cloud that sits at a public address.
    private static let specialRanges: [(range: AddressRange, kind: String)] = [
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by carriers"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "a cloud's own service"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "for documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "for documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    ].compactMap { text, kind in AddressRange(text).map { ($0, kind) } }
}
