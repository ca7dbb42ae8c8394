/// The last head that was accepted on a connection. Who keeps a connection mostly sends the same head again, and then it need not
/// be examined, copied and admitted again.
struct AcceptedHead {
    let head: HTTPRequestHead
    /// As `HeadScan.bodyBytes`.
    let bodyBytes: Int
    /// Of the body.
    let limit: Int

    /// The head as libmicrohttpd left it behind in its memory, with NUL at the end of each piece.
    private let bytes: [UInt8]
    private let fields: Int
    private let targetOffset: Int
    private let versionOffset: Int

    /// A longer head is not worth its memory on an idle connection.
    private static let maximumBytes = 1024

    /// Nil if it is not to be kept, or the line has no version, which libmicrohttpd does not let happen.
    init?(
        _ head: HTTPRequestHead, bodyBytes: Int, limit: Int, line: HeadScan.RequestLine, of connection: Connection
    ) {
        guard let method = line.method.baseAddress, let target = line.target.baseAddress,
            let version = line.version.baseAddress
        else { return nil }
        let bytes = connection.headBytes(from: method)
        guard bytes.count <= Self.maximumBytes else { return nil }
        self.head = head
        self.bodyBytes = bodyBytes
        self.limit = limit
        self.bytes = Array(bytes)
        fields = connection.fieldCount
        targetOffset = target - method
        versionOffset = version - method
    }

    /// The number of fields counts too: a NUL that a client sent looks like one that libmicrohttpd put there, but it hides a field.
    func isRepeated(by line: HeadScan.RequestLine, of connection: Connection) -> Bool {
        guard let method = line.method.baseAddress, let target = line.target.baseAddress,
            let version = line.version.baseAddress, target - method == targetOffset, version - method == versionOffset
        else { return false }
        return connection.headBytes(from: method).elementsEqual(bytes) && connection.fieldCount == fields
    }
}
