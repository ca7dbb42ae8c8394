import CMicroHTTPD
import Glibc

/// Sends a response past libmicrohttpd, which takes none while a body is coming in. Only where nothing of another response
/// can be on its way; the connection ends after it.
enum RawResponse {
    /// Best effort: a refusal fits into an empty socket buffer.
    static func send(_ response: HTTPResponse, to socket: Int32) {
        let bytes = render(response, date: currentDate())
        bytes.withUnsafeBytes { _ = Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        shutdown(socket, Int32(SHUT_WR))
    }

    static func render(_ response: HTTPResponse, date: String) -> [UInt8] {
        var body: [UInt8] = []
        if case .bytes(let bytes) = response.body { body = bytes }
        let reason = MHD_get_reason_phrase_for(UInt32(response.status)).map { String(cString: $0) } ?? "Refused"
        var head = "HTTP/1.1 \(response.status) \(reason)\r\nDate: \(date)\r\nConnection: close\r\n"
        for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
        head += "Content-Length: \(body.count)\r\n\r\n"
        return Array(head.utf8) + body
    }

    static func currentDate() -> String {
        var seconds = time(nil)
        var fields = tm()
        gmtime_r(&seconds, &fields)
        return date(fields)
    }

    /// As in `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func date(_ fields: tm) -> String {
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(days[Int(fields.tm_wday)]), \(two(fields.tm_mday)) \(months[Int(fields.tm_mon)]) \(fields.tm_year + 1900) "
            + "\(two(fields.tm_hour)):\(two(fields.tm_min)):\(two(fields.tm_sec)) GMT"
    }
}
