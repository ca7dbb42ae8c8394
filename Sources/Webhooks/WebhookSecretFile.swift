import Glibc
import Platform

extension WebhookSecret {
    /// The name of the file in the data folder that keeps the service's own secret.
    package static let fileName = "webhook-secret"

    package struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The service's own secret: read from its file in `folder`, or made and kept there for its owner alone (mode 0600).
    ///
    /// One process at a time: the store's lock must be held.
    package static func load(orCreateIn folder: String) throws(FileError) -> WebhookSecret {
        let path = "\(folder)/\(fileName)"
        if access(path, F_OK) == 0 {
            guard let text = SmallFile.read(path, limit: 4096) else {
                throw FileError(description: "\(path) cannot be read: \(String(cString: strerror(errno)))")
            }
            do {
                return try WebhookSecret(text.filter { !$0.isWhitespace })
            } catch {
                throw FileError(description: "\(path) holds no webhook secret: it \(error.description)")
            }
        }
        let secret = generate()
        do {
            try write(secret.text + "\n", to: path, in: folder)
        } catch {
            throw FileError(description: "\(path) cannot be written: \(error.description)")
        }
        return secret
    }

    /// Appears whole or not at all, also after a power cut.
    private static func write(_ text: String, to path: String, in folder: String) throws(SystemError) {
        let draft = "\(path).new"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let file = Descriptor(adopting: try retryingOnInterrupt("open") { open(draft, flags, 0o600) })
        let bytes = Array(text.utf8)
        let count = try retryingOnInterrupt("write") { Glibc.write(file.rawValue, bytes, bytes.count) }
        guard count == bytes.count else { throw SystemError("write", code: ENOSPC) }
        try retryingOnInterrupt("fsync") { fsync(file.rawValue) }
        try retryingOnInterrupt("rename") { rename(draft, path) }
        let directory = Descriptor(
            adopting: try retryingOnInterrupt("open") { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        try retryingOnInterrupt("fsync") { fsync(directory.rawValue) }
    }
}
