import Glibc
import JobStore
import Platform

/// The right to use a data folder: one process at a time. Held as long as this lives; the kernel gives it back when the
/// process ends, however it ends.
final class LockFile: Sendable {
    private let descriptor: Descriptor

    private init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// - Parameter creating: whether to make the file if it is missing.
    /// - Returns: nil only if it is missing and was not to be made.
    static func acquire(_ path: String, creating: Bool) throws(StoreError) -> LockFile? {
        let number = open(path, O_RDWR | O_CLOEXEC | (creating ? O_CREAT : 0), 0o600)
        if number < 0 {
            if errno == ENOENT && !creating { return nil }
            throw StoreError(SystemError("cannot open \(path)"))
        }
        let descriptor = Descriptor(adopting: number)
        guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw .unusable(SystemError("cannot lock \(path)").description) }
            let holder = SmallFile.read(path).flatMap { Int32($0.prefix { $0 != "\n" }) }
            let who = holder.map { "process \($0)" } ?? "another process"
            throw .locked("\(who) holds \(path); stop it, or choose another data folder")
        }
        return LockFile(descriptor)
    }

    /// Leaves this process's number in the file, for whoever finds it locked.
    func sign() throws(StoreError) {
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor.rawValue, 0) == 0, pwrite(descriptor.rawValue, text, text.count, 0) == text.count
        else { throw StoreError(SystemError("cannot write to the lock file")) }
    }

    /// Lets the next process in, before this goes away.
    func release() {
        // Cannot fail for a lock that is held; and the end of the process gives it back at the latest.
        flock(descriptor.rawValue, LOCK_UN)
    }
}
