import CSystem
import Glibc

/// A new file without a name: it is gone with its last descriptor, however the process ends, unless it gets a name.
package enum UnnamedFile {
    /// Makes one in the file system of a folder, open for reading and writing.
    ///
    /// - Returns: nil where the file system has no such files, as network file systems.
    package static func create(in folder: Int32) throws(SystemError) -> Descriptor? {
        do {
            return Descriptor(
                adopting: try retryingOnInterrupt("open(O_TMPFILE)") { csystem_open_unnamed(folder, 0o666) })
        } catch  where error.code == EOPNOTSUPP || error.code == EISDIR {
            // EISDIR: a file system that does not know the flag sees the folder only.
            return nil
        }
    }

    /// Gives it a name, which must not be taken: EEXIST.
    package static func link(_ file: Int32, as name: String, in folder: Int32) throws(SystemError) {
        // By its descriptor alone would take a capability.
        guard linkat(AT_FDCWD, "/proc/self/fd/\(file)", folder, name, AT_SYMLINK_FOLLOW) == 0 else {
            throw SystemError("linkat")
        }
    }
}
