import Glibc
import JobStore
import Platform

/// The data folder and the names of the files in it.
struct StoreFolder: Sendable {
    let path: String

    var database: String { path + "/jobmill.sqlite" }
    /// SQLite's write-ahead log.
    var log: String { database + "-wal" }
    /// The database while it is being made; renamed when it is whole.
    var unfinishedDatabase: String { path + "/jobmill.sqlite.new" }
    var lock: String { path + "/jobmill.lock" }
    var ballast: String { path + "/jobmill.ballast" }

    /// Makes the folder and its missing parents, readable by their owner only, and checks that files can be made in it.
    func prepare() throws(StoreError) {
        try StoreFolder.make(path)
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw .unusable("\(path) is not a folder")
        }
        guard access(path, W_OK | X_OK) == 0 else {
            throw .unusable(SystemError("the folder \(path) is not writable").description)
        }
    }

    private static func make(_ path: String) throws(StoreError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        let failure = SystemError("cannot make the folder \(path)")
        guard failure.code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .unusable(failure.description)
        }
        try make(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .unusable(SystemError("cannot make the folder \(path)").description)
        }
    }

    /// Makes an empty file that only its owner can read; SQLite gives the files beside it the same rights.
    static func makeFile(_ path: String) throws(StoreError) {
        let number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw StoreError(SystemError("cannot make \(path)")) }
        _ = Descriptor(adopting: number)
    }

    /// Whether next to nothing can be written here.
    var isFull: Bool {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return false }
        return status.f_bavail * status.f_frsize < 65_536 || status.f_files > 0 && status.f_favail == 0
    }

    /// Makes new names in the folder survive a power cut.
    func synchronize() throws(StoreError) { try StoreFolder.synchronize(path) }

    /// Makes a file, or a folder's list of names, survive a power cut.
    static func synchronize(_ path: String) throws(StoreError) {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw .unusable(SystemError("cannot open \(path)").description) }
        let file = Descriptor(adopting: number)
        guard fsync(file.rawValue) == 0 else { throw .broken(SystemError("cannot synchronize \(path)").description) }
    }
}
