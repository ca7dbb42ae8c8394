import JobModel

/// Where resources are.
enum Path {
    static func batch(_ id: BatchID) -> String { path("/v1/batches/", id.append) }
    static func job(_ id: JobID) -> String { path("/v1/jobs/", id.append) }

    private static func path(_ start: String, _ append: (inout [UInt8]) -> Void) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        bytes.append(contentsOf: start.utf8)
        append(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A URI reference with a query, its values percent-encoded.
    static func with(_ path: String, query: [(name: String, value: String)]) -> String {
        path + "?" + query.map { "\($0.name)=\(encoded($0.value))" }.joined(separator: "&")
    }

    /// Everything but RFC 3986's unreserved characters.
    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
