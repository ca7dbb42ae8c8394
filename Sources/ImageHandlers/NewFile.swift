import Glibc
import Platform

/// A file that appears under its name only when it is complete; until then it has a hidden name in the same folder.
final class NewFile {
    private let folder: Descriptor
    private let name: String
    private let temporaryName: String
    private let file: Descriptor
    private var isComplete = false

    /// - Parameter name: without any slash.
    init(_ name: String, in folder: consuming Descriptor) throws(SystemError) {
        let parent = folder.rawValue
        // Names end at 255 bytes, so the final name has no place in this one.
        let temporaryName = ".jobmill-\(String(UInt64.random(in: .min ... .max), radix: 36)).part"
        file = Descriptor(
            adopting: try retryingOnInterrupt("open") {
                openat(parent, temporaryName, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
            })
        self.folder = folder
        self.name = name
        self.temporaryName = temporaryName
    }

    deinit {
        if !isComplete { unlinkat(folder.rawValue, temporaryName, 0) }
    }

    /// Open for reading and writing.
    var descriptor: Int32 { file.rawValue }

    /// Gives it its name, in place of what had that name before. Returns its size in bytes. A power cut does not undo it: a
    /// job that is recorded as succeeded has its file.
    func complete() throws(SystemError) -> Int {
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else { throw SystemError("fstat") }
        let (content, place) = (file.rawValue, folder.rawValue)
        try retryingOnInterrupt("fsync") { fsync(content) }
        guard renameat(folder.rawValue, temporaryName, folder.rawValue, name) == 0 else { throw SystemError("rename") }
        isComplete = true
        try retryingOnInterrupt("fsync") { fsync(place) }
        return Int(status.st_size)
    }
}
