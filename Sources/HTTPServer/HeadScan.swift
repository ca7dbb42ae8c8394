import CMicroHTTPD

/// Looks at a complete head where libmicrohttpd keeps it, finds what must be refused, and copies the fields.
///
/// Libmicrohttpd lets pass what other servers read differently: a NUL that hides the rest of a line, continued lines, a bare
/// line feed, two lengths. It ends each piece of the head with NUL in place, so in an honest head every piece starts right
/// behind the last one and its line end; a gap is something hidden.
struct HeadScan {
    /// More fields than this are refused.
    static let maximumFields = 100
    /// What libmicrohttpd remembers of each field and of each parameter of a query, in bytes.
    private static let weightOfPart = 64

    let isHTTP10: Bool
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    /// The client waits for `100 Continue` before it sends the body.
    private(set) var expectsContinue = false
    private(set) var refusal: HTTPRefusal?

    private var hosts = 0
    private var count = 0
    private let start: UnsafePointer<UInt8>
    /// Where the next field has to start.
    private var next: UnsafePointer<UInt8>

    /// Pieces of the head's memory; valid during the callback of libmicrohttpd that hands them out.
    struct RequestLine {
        let method: UnsafeBufferPointer<UInt8>
        let target: UnsafeBufferPointer<UInt8>
        let version: UnsafeBufferPointer<UInt8>
    }

    /// As announced; chunks may be any number.
    var bodyBytes: Int { isChunked ? .max : contentLength ?? 0 }

    /// - Parameter maximumWeight: bytes that the head may take of libmicrohttpd's memory, which the answer needs, too.
    /// - Returns: nil if the line has no version, which libmicrohttpd does not let happen.
    init?(_ line: RequestLine, of connection: OpaquePointer, maximumWeight: Int) {
        guard let method = line.method.baseAddress, let version = line.version.baseAddress else { return nil }
        isHTTP10 = line.version.elementsEqual("HTTP/1.0".utf8)
        start = version + line.version.count + 2
        next = start
        if line.method.isEmpty || !line.method.allSatisfy(Self.isToken) {
            refuse(400, "The request's method is malformed.")
        }
        if line.target.baseAddress != method + line.method.count + 1
            || version != method + line.method.count + line.target.count + 2
        {
            refuse(400, "The request line is malformed.")
        }
        withUnsafeMutablePointer(to: &self) { cmhd_each_header(connection, Trampolines.header, $0) }
        let size = cmhd_header_size(connection)
        finish(end: method + size)
        let parameters = line.target.count { $0 == UInt8(ascii: "&") }
        if size + (count + parameters) * Self.weightOfPart > maximumWeight {
            refuse(
                431,
                "The request's head is too large: it may have \(maximumWeight) bytes, of which each field and each parameter "
                    + "of the query counts as \(Self.weightOfPart) more than it has.")
        }
    }

    /// Only without a refusal.
    func copyFields() -> HTTPHeaders {
        HTTPHeaders(block: Array(UnsafeBufferPointer(start: start, count: next - start)))
    }

    /// Takes one field; false ends the walk.
    mutating func visit(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let nameStart = name.baseAddress, let valueStart = value.baseAddress, nameStart == next else {
            return refuse(400, "A header line is continued, does not end with CR LF, or holds a NUL.")
        }
        guard !name.isEmpty, name.allSatisfy(Self.isToken) else {
            return refuse(400, "A header field's name is malformed.")
        }
        guard value.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }) else {
            return refuse(400, "A header field holds a control character.")
        }
        next = valueStart + value.count + 2
        count += 1
        guard count <= Self.maximumFields else {
            return refuse(431, "The request has more than \(Self.maximumFields) header fields.")
        }
        return weigh(name: name, value: value)
    }

    /// The fields that decide where the request ends. Their names differ in length, so most fields cost one comparison.
    private mutating func weigh(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> Bool {
        switch name.count {
        case 4 where Self.isSame(name, "host"):
            hosts += 1
        case 6 where Self.isSame(name, "expect") && !isHTTP10:
            guard Self.isSame(value, "100-continue") else {
                return refuse(417, "The only expectation that is met here is 100-continue.")
            }
            expectsContinue = true
        case 14 where Self.isSame(name, "content-length"):
            guard contentLength == nil else { return refuse(400, "The request has more than one Content-Length.") }
            guard let length = Self.number(value) else {
                return refuse(400, "Content-Length is not a number of bytes.")
            }
            contentLength = length
        case 17 where Self.isSame(name, "transfer-encoding"):
            // Exactly this spelling, because it is the only one that libmicrohttpd decodes.
            guard !isChunked, Self.isSame(value, "chunked") else {
                return refuse(501, "The only transfer coding that is understood here is chunked, applied once.")
            }
            isChunked = true
        default:
            break
        }
        return true
    }

    private mutating func finish(end: UnsafePointer<UInt8>) {
        guard refusal == nil else { return }
        if next + 2 != end {
            refuse(400, "A header line is continued, does not end with CR LF, or holds a NUL.")
        } else if isChunked, contentLength != nil {
            refuse(400, "The request has both Transfer-Encoding and Content-Length.")
        } else if isChunked, isHTTP10 {
            refuse(400, "A request of HTTP/1.0 cannot have a transfer coding.")
        } else if hosts > 1 {
            refuse(400, "The request has more than one Host.")
        } else if hosts == 0, !isHTTP10 {
            refuse(400, "The request has no Host.")
        }
    }

    @discardableResult
    private mutating func refuse(_ status: Int, _ detail: String) -> Bool {
        if refusal == nil { refusal = HTTPRefusal(status: status, detail: detail, closesConnection: true) }
        return false
    }

    /// What is beyond all counting is as much as can be counted.
    private static func number(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard !text.isEmpty else { return nil }
        var number = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (tenfold, overflows) = number.multipliedReportingOverflow(by: 10)
            let (sum, alsoOverflows) = tenfold.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            number = overflows || alsoOverflows ? .max : sum
        }
        return number
    }

    /// - Parameter name: in lower case; holds letters, digits and hyphens only, for which setting the bit is lowering the case.
    private static func isSame(_ text: UnsafeBufferPointer<UInt8>, _ name: StaticString) -> Bool {
        guard text.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<text.count {
            let byte = text[index]
            let lowered = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
            if lowered != name.utf8Start[index] { return false }
        }
        return true
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default:
            false
        }
    }
}
