import CCurl
import Glibc

/// What libcurl's callbacks need to know and leave behind during one transfer. Lives on the thread that performs it.
final class Transfer {
    private let request: HTTPClientRequest
    private let onHead: (HTTPClientHead) -> Void
    private let onBytes: (UnsafeRawBufferPointer) -> Bool

    /// Of a status line and its headers, also of interim answers (1xx).
    private var head: HTTPClientHead?
    private var headBytes = 0
    private var bodyBytes = 0
    private(set) var hasDeliveredHead = false
    /// The receiver wants no more, or the body has reached its limit.
    private(set) var isCut = false
    /// Why the last address that was tried was refused.
    private(set) var refusal: String?

    static let maximumHeadBytes = 256 * 1024

    init(
        _ request: HTTPClientRequest, onHead: @escaping (HTTPClientHead) -> Void,
        onBytes: @escaping (UnsafeRawBufferPointer) -> Bool
    ) {
        self.request = request
        self.onHead = onHead
        self.onBytes = onBytes
    }

    /// One line of the head with its line break. False ends the transfer.
    func receiveHeaderLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        headBytes += bytes.count
        guard headBytes <= Transfer.maximumHeadBytes else { return false }
        var line = String(decoding: bytes, as: UTF8.self)
        while let last = line.unicodeScalars.last, last == "\r" || last == "\n" { line.unicodeScalars.removeLast() }
        if line.hasPrefix("HTTP/") {
            let fields = line.split(separator: " ", maxSplits: 2)
            head = HTTPClientHead(status: fields.count > 1 ? Int(fields[1]) ?? 0 : 0)
        } else if line.isEmpty {
            // After the body come trailers, which nobody asked for.
            if let head, head.status >= 200, !hasDeliveredHead {
                hasDeliveredHead = true
                onHead(head)
            }
        } else if !hasDeliveredHead, let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            head?.headers.append((String(line[..<colon]), String(value)))
        }
        return true
    }

    /// False ends the transfer. `CURLOPT_MAXFILESIZE` does nothing while the length is unknown, so the bytes are counted here.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let wanted = min(bytes.count, request.maximumResponseBytes - bodyBytes)
        bodyBytes += wanted
        if wanted > 0 && !onBytes(UnsafeRawBufferPointer(rebasing: bytes[..<wanted])) || wanted < bytes.count {
            isCut = true
        }
        return !isCut
    }

    /// A socket for the resolved address, or -1 if the policy refuses it.
    func openSocket(family: Int32, type: Int32, protocol: Int32, address: UnsafeRawBufferPointer) -> Int32 {
        guard isAllowed(NetworkAddress(socketAddress: address)) else { return -1 }
        return socket(family, type | Int32(SOCK_CLOEXEC.rawValue), `protocol`)
    }

    /// The last look before the request leaves, which also sees connections that are used again.
    func mayRequest(from remoteAddress: String) -> Bool { isAllowed(NetworkAddress(remoteAddress)) }

    private func isAllowed(_ address: NetworkAddress?) -> Bool {
        guard let address else {
            // Neither IPv4 nor IPv6: there is nothing to judge it by.
            refusal = "\(request.url.endpoint) has an address of an unknown kind"
            return false
        }
        guard let kind = request.addressPolicy.refusal(of: address) else { return true }
        refusal = "\(request.url.endpoint) leads to \(address), an address that is \(kind) and may not be called"
        return false
    }
}

/// The bridge from C: recovers the transfer and calls one of its methods.
enum TransferCallbacks {
    static func install(on handle: UnsafeMutableRawPointer, context: UnsafeMutableRawPointer) -> CURLcode {
        ccurl_set_callbacks(
            handle,
            ccurl_callbacks(
                header_line: { bytes, size, count, context in
                    let transfer = TransferCallbacks.transfer(context)
                    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
                    return transfer.receiveHeaderLine(line) ? size * count : 0
                },
                body: { bytes, size, count, context in
                    let transfer = TransferCallbacks.transfer(context)
                    let part = UnsafeRawBufferPointer(start: bytes, count: size * count)
                    return part.isEmpty || transfer.receiveBody(part) ? size * count : 0
                },
                open_socket: { context, _, address in
                    let parts = address.pointee
                    return TransferCallbacks.transfer(context).openSocket(
                        family: parts.family, type: parts.socktype, protocol: parts.protocol,
                        address: UnsafeRawBufferPointer(
                            start: ccurl_socket_address(address), count: Int(parts.addrlen)))
                },
                before_request: { context, remoteAddress, _, _, _ in
                    let address = remoteAddress.map { String(cString: $0) } ?? ""
                    let isAllowed = TransferCallbacks.transfer(context).mayRequest(from: address)
                    return isAllowed ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
                }), context)
    }

    /// Valid because `HTTPClient` keeps the transfer alive until libcurl has let go of it.
    private static func transfer(_ context: UnsafeMutableRawPointer) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }
}
