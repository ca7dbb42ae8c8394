/// The target of a request, taken apart and decoded.
struct RequestTarget {
    let path: String
    let segments: [String]
    let query: [(name: String, value: String)]

    /// Takes `/path?query`, `http://host/path?query` (which a client may send to any server) and `*`.
    init(parsing target: [UInt8]) throws(HTTPRefusal) {
        guard target.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw Self.refusal("The request target holds a character that must be percent-encoded.")
        }
        let (pathBytes, queryBytes) = try Self.split(target)
        path = String(decoding: pathBytes, as: UTF8.self)
        segments = try Self.segments(of: pathBytes)
        query = try Self.fields(of: queryBytes)
    }

    private static func split(_ target: [UInt8]) throws(HTTPRefusal) -> (ArraySlice<UInt8>, ArraySlice<UInt8>) {
        var rest = target[...]
        if rest.first != UInt8(ascii: "/"), !rest.elementsEqual("*".utf8) {
            let lowered = rest.prefix(8).map { $0 | 0x20 }
            guard let scheme = ["http://", "https://"].first(where: { lowered.starts(with: $0.utf8) }) else {
                throw refusal("The request target must be a path that starts with a slash.")
            }
            let authority = rest.dropFirst(scheme.utf8.count)
            rest =
                authority[
                    (authority.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? authority.endIndex)...
                ]
        }
        guard let mark = rest.firstIndex(of: UInt8(ascii: "?")) else { return (rest, []) }
        return (rest[..<mark], rest[(mark + 1)...])
    }

    private static func segments(of path: ArraySlice<UInt8>) throws(HTTPRefusal) -> [String] {
        var rest = path.first == UInt8(ascii: "/") ? path.dropFirst() : path
        if rest.isEmpty { return [] }
        var segments: [String] = []
        while true {
            let end = rest.firstIndex(of: UInt8(ascii: "/"))
            segments.append(try decode(rest[..<(end ?? rest.endIndex)], plusIsSpace: false))
            guard let end else { return segments }
            rest = rest[(end + 1)...]
        }
    }

    private static func fields(of query: ArraySlice<UInt8>) throws(HTTPRefusal) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            fields.append(
                (
                    try decode(pair[..<equals], plusIsSpace: true),
                    try decode(pair[equals...].dropFirst(), plusIsSpace: true)
                ))
        }
        return fields
    }

    /// Strict: each `%` has two hexadecimal digits, and what comes out is UTF-8 without NUL.
    private static func decode(_ text: ArraySlice<UInt8>, plusIsSpace: Bool) throws(HTTPRefusal) -> String {
        guard text.contains(where: { $0 == UInt8(ascii: "%") || ($0 == UInt8(ascii: "+") && plusIsSpace) }) else {
            return String(decoding: text, as: UTF8.self)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "+"), plusIsSpace {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%") {
                guard index + 1 < text.endIndex, let high = digit(text[index]), let low = digit(text[index + 1]) else {
                    throw refusal("The request target holds a % without two hexadecimal digits.")
                }
                bytes.append(high << 4 | low)
                index += 2
            } else {
                bytes.append(byte)
            }
        }
        guard !bytes.contains(0), let decoded = String(validating: bytes, as: UTF8.self) else {
            throw refusal("The request target does not decode to UTF-8 text without NUL.")
        }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func refusal(_ detail: String) -> HTTPRefusal { HTTPRefusal(status: 400, detail: detail) }
}
