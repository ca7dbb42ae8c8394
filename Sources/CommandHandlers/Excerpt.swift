/// The beginning of what a command wrote, for a message.
enum Excerpt {
    private static let limit = 100

    static func of(_ bytes: some Collection<UInt8>) -> String {
        let beginning = String(decoding: bytes.prefix(limit), as: UTF8.self)
        return "\(beginning.debugDescription)\(bytes.count > limit ? "…" : "")"
    }
}
