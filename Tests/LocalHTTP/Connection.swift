import Glibc

/// One connection of a `LocalListener`, in its own thread.
struct Connection {
    let number: Int32
    private var buffer: [UInt8] = []

    init(number: Int32) { self.number = number }

    /// Nil when the client has gone, or sent what no client should.
    mutating func readRequest(index: Int) -> ReceivedRequest? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = buffer.firstRange(of: end) {
                let lines = String(decoding: buffer[..<range.lowerBound], as: UTF8.self).split(separator: "\r\n")
                buffer.removeSubrange(..<range.upperBound)
                let fields = lines.first?.split(separator: " ") ?? []
                guard fields.count == 3 else { return nil }
                var request = ReceivedRequest(
                    method: String(fields[0]), target: String(fields[1]), headers: [], body: [], connection: index)
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    guard parts.count == 2 else { return nil }
                    request.headers.append((String(parts[0]), String(parts[1].drop { $0 == " " })))
                }
                if request.header("Expect") != nil { _ = send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
                let length = request.header("Content-Length").flatMap { Int($0) } ?? 0
                while buffer.count < length { guard fill() else { return nil } }
                request.body = Array(buffer.prefix(length))
                buffer.removeFirst(length)
                return request
            }
            guard fill() else { return nil }
        }
    }

    /// False when the connection is to end.
    mutating func write(_ reply: LocalReply) -> Bool {
        switch reply {
        case .respond(let status, let headers, let body):
            var text = "HTTP/1.1 \(status) Status\r\nContent-Length: \(body.utf8.count)\r\n"
            for (name, value) in headers { text += "\(name): \(value)\r\n" }
            return send(Array("\(text)\r\n\(body)".utf8))
        case .raw(let text):
            _ = send(Array(text.utf8))
        case .endless(let status):
            var isOpen = send(Array("HTTP/1.1 \(status) Status\r\nConnection: close\r\n\r\n".utf8))
            let part = [UInt8](repeating: 0x61, count: 65_536)
            while isOpen { isOpen = send(part) }
        case .hang:
            while fill() {}
        }
        return false
    }

    private mutating func fill() -> Bool {
        var part = [UInt8](repeating: 0, count: 65_536)
        let count = recv(number, &part, part.count, 0)
        guard count > 0 else { return false }
        buffer.append(contentsOf: part[..<count])
        return true
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(number, raw.baseAddress.map { $0 + sent }, raw.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
