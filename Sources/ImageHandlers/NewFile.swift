import Glibc
import Platform

/// A file that appears under its name only when it is complete.
///
/// Until then it has no name, so that nothing stays behind if the process is killed. Where the file system has no such files, it has
/// a hidden name in the same folder, `.jobmill-….part`.
final class NewFile {
    private let folder: Descriptor
    private let name: String
    private let file: Descriptor
    /// The name to rename from or to remove.
    private var temporaryName: String?

    /// - Parameters:
    ///   - name: without any slash.
    ///   - canBeUnnamed: false does as if the file system had no files without names.
    init(_ name: String, in folder: consuming Descriptor, canBeUnnamed: Bool = true) throws(SystemError) {
        let parent = folder.rawValue
        if canBeUnnamed, let unnamed = try UnnamedFile.create(in: parent) {
            file = unnamed
            temporaryName = nil
        } else {
            let hidden = Self.hiddenName()
            file = Descriptor(
                adopting: try retryingOnInterrupt("open") {
                    openat(parent, hidden, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
                })
            temporaryName = hidden
        }
        self.folder = folder
        self.name = name
    }

    deinit {
        if let temporaryName { unlinkat(folder.rawValue, temporaryName, 0) }
    }

    /// Open for reading and writing.
    var descriptor: Int32 { file.rawValue }

    /// Gives it its name, in place of what had that name before; a symbolic link is replaced and not followed. Returns its size
    /// in bytes. A power cut does not undo it: a job that is recorded as succeeded has its file.
    func complete() throws(SystemError) -> Int {
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else { throw SystemError("fstat") }
        let (content, place) = (file.rawValue, folder.rawValue)
        try retryingOnInterrupt("fsync") { fsync(content) }
        if try !linkDirectly() {
            let from: String
            if let temporaryName { from = temporaryName } else { from = try linkHidden() }
            guard renameat(place, from, place, name) == 0 else { throw SystemError("rename") }
            temporaryName = nil
        }
        try retryingOnInterrupt("fsync") { fsync(place) }
        return Int(status.st_size)
    }

    /// Whether a file without a name got its name, because that was free.
    private func linkDirectly() throws(SystemError) -> Bool {
        guard temporaryName == nil else { return false }
        do {
            try UnnamedFile.link(file.rawValue, as: name, in: folder.rawValue)
            return true
        } catch  where error.code == EEXIST {
            return false
        }
    }

    /// Only a file that has a name can replace another.
    private func linkHidden() throws(SystemError) -> String {
        let hidden = Self.hiddenName()
        try UnnamedFile.link(file.rawValue, as: hidden, in: folder.rawValue)
        temporaryName = hidden
        return hidden
    }

    /// Names end at 255 bytes, so the final name has no place in this one. At 64 random bits nobody meets one that stayed behind.
    private static func hiddenName() -> String {
        ".jobmill-\(String(UInt64.random(in: .min ... .max), radix: 36)).part"
    }
}
