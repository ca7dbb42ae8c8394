import CSystem
import Glibc

/// Opens paths that come from outside without ever leaving a folder.
package enum Beneath {
    /// Opens what exists at `path`, relative to the folder.
    ///
    /// Whatever leads out of the folder (`..`, a symbolic link, a leading slash) throws `EXDEV`; where the kernel decides, so does a
    /// symbolic link with an absolute target inside. Nobody can change that decision by swapping folders and links meanwhile.
    package static func open(
        _ path: String, in folder: borrowing Descriptor, flags: Int32
    ) throws(SystemError) -> Descriptor {
        let parent = folder.rawValue
        // EAGAIN: something was renamed during the walk, and the kernel could not be sure about "..".
        for _ in 0..<100 {
            do {
                return Descriptor(
                    adopting: try retryingOnInterrupt("openat2") {
                        csystem_open_beneath(parent, path, flags | O_CLOEXEC)
                    })
            } catch  where error.code == EAGAIN {
                continue
            } catch  where error.code == ENOSYS || error.code == EPERM {
                return try openAndCheck(path, in: folder, flags: flags)
            }
        }
        throw SystemError("openat2", code: EAGAIN)
    }

    /// The same without openat2: opens first and asks then where it ended, so that it is decided about what was opened.
    package static func openAndCheck(
        _ path: String, in folder: borrowing Descriptor, flags: Int32
    ) throws(SystemError) -> Descriptor {
        let parent = folder.rawValue
        let opened = Descriptor(
            adopting: try retryingOnInterrupt("openat") { openat(parent, path, flags | O_CLOEXEC) })
        let root = try location(of: folder)
        let place = try location(of: opened)
        guard place == root || place.hasPrefix(root == "/" ? root : root + "/") else {
            throw SystemError("openat", code: EXDEV)
        }
        return opened
    }

    private static func location(of descriptor: borrowing Descriptor) throws(SystemError) -> String {
        let number = descriptor.rawValue
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = try retryingOnInterrupt("readlink") {
            readlink("/proc/self/fd/\(number)", &buffer, buffer.count)
        }
        return String(decoding: buffer[..<length].lazy.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
