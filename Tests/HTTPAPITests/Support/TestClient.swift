import Foundation
import Glibc

/// What came back, to the end of the connection.
struct Reply {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as a JSON object; empty if it is none.
    var object: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:] }

    /// The pointers and parameters of a problem's errors.
    var places: [String] {
        (object["errors"] as? [[String: Any]] ?? []).compactMap {
            $0["pointer"] as? String ?? $0["parameter"] as? String
        }
    }
}

struct ClientError: Error { var detail: String }

/// One connection to a service on loopback, with nothing between it and the test.
final class TestConnection {
    private var number: Int32

    init(port: Int) throws {
        number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // A lost answer must end the test, not hang it.
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard code == 0 else { throw ClientError(detail: "cannot connect: \(errno)") }
    }

    deinit { close() }

    func close() {
        if number >= 0 { Glibc.close(number) }
        number = -1
    }

    /// What comes next, as it comes; nothing at the end.
    func receive() throws -> [UInt8] {
        var part = [UInt8](repeating: 0, count: 65_536)
        let count = recv(number, &part, part.count, 0)
        if count < 0 { throw ClientError(detail: "no answer: \(errno)") }
        return Array(part[..<count])
    }

    /// Everything up to the end of the connection.
    func rest() throws -> String {
        var all: [UInt8] = []
        while true {
            let part = try receive()
            if part.isEmpty { return String(decoding: all, as: UTF8.self) }
            all += part
        }
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(number, raw.baseAddress.map { $0 + sent }, raw.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw ClientError(detail: "cannot send: \(errno)") }
            sent += count
        }
    }

    func send(
        _ method: String, _ target: String, _ headers: [(String, String)] = [], body: [UInt8]? = nil
    ) throws {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        try send(Array("\(head)\r\n".utf8) + (body ?? []))
    }

    func reply() throws -> Reply {
        var bytes: [UInt8] = []
        while true {
            let part = try receive()
            if part.isEmpty { break }
            bytes += part
        }
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw ClientError(detail: "no head in \(bytes.count) bytes")
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), String(parts[1]).trimmingCharacters(in: .whitespaces))
        }
        var reply = Reply(status: status, headers: headers, body: Array(bytes[end.upperBound...]))
        if reply.header("Transfer-Encoding") != nil { reply.body = try joined(chunks: reply.body) }
        return reply
    }

    /// Throws unless the last chunk is there: a body that broke off is not complete.
    private func joined(chunks: [UInt8]) throws -> [UInt8] {
        var body: [UInt8] = []
        var rest = chunks[...]
        while let end = rest.firstRange(of: Array("\r\n".utf8)) {
            let size = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16) ?? -1
            if size == 0 { return body }
            guard size > 0, rest.distance(from: end.upperBound, to: rest.endIndex) >= size + 2 else { break }
            body += rest[end.upperBound..<(end.upperBound + size)]
            rest = rest[(end.upperBound + size + 2)...]
        }
        throw ClientError(detail: "the body broke off")
    }
}
