import Glibc
import JSONBytes
import Platform

/// The standard streams of a client command: results go to standard output, everything for a person to standard error.
enum Output {
    static func line(_ text: String) throws(ClientFailure) { try write(Array("\(text)\n".utf8)) }

    static func line(_ json: JSON) throws(ClientFailure) { try write(json.bytes + [UInt8(ascii: "\n")]) }

    /// - Throws: with the status that a shell gives to a broken pipe if nobody reads any more.
    static func write(_ bytes: [UInt8]) throws(ClientFailure) {
        try bytes.withUnsafeBytes { raw in Result { () throws(ClientFailure) in try write(raw) } }.get()
    }

    static func write(_ bytes: UnsafeRawBufferPointer) throws(ClientFailure) {
        do {
            try write(bytes, to: STDOUT_FILENO)
        } catch {
            guard error.code != EPIPE else { throw ClientFailure(128 + SIGPIPE) }
            throw ClientFailure(ExitStatus.failure, "jobmill: the output cannot be written: \(error)")
        }
    }

    /// A line on standard error. If that is closed there is nobody left to tell.
    static func note(_ text: String) { draw("\(text)\n") }

    static func draw(_ text: String) {
        try? Array(text.utf8).withUnsafeBytes { try write($0, to: STDERR_FILENO) }
    }

    /// Whether a person watches standard error.
    static var isWatched: Bool { isatty(STDERR_FILENO) == 1 }

    /// Columns of the terminal behind standard error.
    static var width: Int {
        var size = winsize()
        let isKnown = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return isKnown ? Int(size.ws_col) : 80
    }

    /// Rows of equal length, the heading first, in columns.
    static func columns(_ rows: [[String]]) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            let end = cells.joined(separator: "  ").reversed().drop { $0 == " " }
            return String(end.reversed())
        }
    }

    /// Text from elsewhere without control characters, which could take over a terminal.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try retryingOnInterrupt("write") {
                Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            }
            rest = rest.dropFirst(count)
        }
    }
}
