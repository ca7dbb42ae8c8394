import Glibc
import Platform

/// A client that sends exactly the bytes it is told to, and reads responses one by one.
final class RawClient {
    struct Response: Equatable {
        var status = 0
        var headers: [String: String] = [:]
        var body = ""
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private var socket: Descriptor?
    private var buffer: [UInt8] = []

    init(port: Int, host: String = "127.0.0.1", receiveBuffer: Int32? = nil) throws {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let address = list?.pointee else {
            throw Failure(description: "no address \(host)")
        }
        defer { freeaddrinfo(list) }
        let number = Glibc.socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        socket = Descriptor(adopting: number)
        // A test that waits in vain fails instead of hanging.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        if var receiveBuffer {
            setsockopt(number, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        try retryingOnInterrupt("connect") { connect(number, address.ai_addr, address.ai_addrlen) }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            sent += try bytes.withUnsafeBytes { bytes in
                let left = UnsafeRawBufferPointer(rebasing: bytes[sent...])
                return try retryingOnInterrupt("send") {
                    Glibc.send(number, left.baseAddress, left.count, Int32(MSG_NOSIGNAL))
                }
            }
        }
    }

    func finishSending() { shutdown(number, Int32(SHUT_WR)) }
    func close() { socket = nil }

    /// Leaves so that the server hears of it: by a reset.
    func vanish() {
        var immediately = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &immediately, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Reads one response; `isHead`: one without a body whatever it announces.
    func response(isHead: Bool = false) throws -> Response {
        var response = Response()
        let lines = try line(endingWith: "\r\n\r\n").split(separator: "\r\n")
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 ") || first.hasPrefix("HTTP/1.0 "),
            let status = Int(first.dropFirst(9).prefix(3))
        else { throw Failure(description: "not a status line: \(lines.first ?? "")") }
        response.status = status
        for line in lines.dropFirst() {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            response.headers[line[..<colon].lowercased()] = line[colon...].dropFirst().trimmingPrefix(" ").description
        }
        if isHead || status == 204 || status == 304 || status < 200 { return response }
        if let length = response.headers["content-length"].flatMap({ Int($0) }) {
            response.body = try String(decoding: take(length), as: UTF8.self)
        } else if response.headers["transfer-encoding"] == "chunked" {
            while let size = Int(try line(endingWith: "\r\n"), radix: 16), size > 0 {
                response.body += try String(decoding: take(size), as: UTF8.self)
                _ = try take(2)
            }
            _ = try take(2)
        } else {
            response.body = try String(decoding: rest(), as: UTF8.self)
        }
        return response
    }

    /// What comes until the server closes.
    func rest() throws -> [UInt8] {
        while try fill() {}
        defer { buffer = [] }
        return buffer
    }

    /// Waits for the server's end of the connection, and finds nothing before it.
    func isClosedByServer() -> Bool {
        do {
            return try rest().isEmpty
        } catch let error as SystemError {
            return error.code == ECONNRESET
        } catch {
            return false
        }
    }

    /// At least so many bytes are there.
    func take(_ count: Int) throws -> [UInt8] {
        while buffer.count < count {
            guard try fill() else {
                throw Failure(description: "the server closed after \(buffer.count) of \(count) bytes")
            }
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    private func line(endingWith end: String) throws -> String {
        let end = Array(end.utf8)
        var searched = 0
        while true {
            while searched + end.count <= buffer.count {
                if buffer[searched..<(searched + end.count)].elementsEqual(end) {
                    let line = String(decoding: buffer[..<searched], as: UTF8.self)
                    buffer.removeFirst(searched + end.count)
                    return line
                }
                searched += 1
            }
            guard try fill() else {
                throw Failure(description: "the server closed after: \(String(decoding: buffer, as: UTF8.self))")
            }
        }
    }

    /// False at the end of the connection.
    private func fill() throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = try retryingOnInterrupt("recv") { recv(number, &bytes, bytes.count, 0) }
        buffer.append(contentsOf: bytes[..<count])
        return count > 0
    }

    private var number: Int32 { socket?.rawValue ?? -1 }
}
