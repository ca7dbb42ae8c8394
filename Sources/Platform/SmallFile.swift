import Glibc

/// Reads files of the kernel (`/proc`, `/sys`) and other small ones whole.
package enum SmallFile {
    /// The first `limit` bytes as text, or nil if the file cannot be read or is not UTF-8.
    package static func read(_ path: String, limit: Int = 65_536) -> String? {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = Descriptor(adopting: number)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit {
            let wanted = min(buffer.count, limit - bytes.count)
            let count = Glibc.read(file.rawValue, &buffer, wanted)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
