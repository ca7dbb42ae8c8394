import Glibc
import JobStore
import Platform

/// Judges a database file by its first bytes, without SQLite, which might touch it: what is not ours is left as it is.
enum DatabaseHeader {
    /// "JMIL", in the header field that SQLite gives applications to mark their files.
    static let applicationID: Int32 = 0x4A4D_494C

    /// - Returns: whether the file exists. Throws `unusable` if it is something else than a store that this version can read.
    static func exists(at path: String) throws(StoreError) -> Bool {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        if number < 0 {
            if errno == ENOENT { return false }
            throw .unusable(SystemError("cannot open \(path)").description)
        }
        let file = Descriptor(adopting: number)
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = pread(file.rawValue, &bytes, bytes.count, 0)
        guard count >= 0 else { throw .unusable(SystemError("cannot read \(path)").description) }
        guard count == bytes.count, bytes.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw .unusable("\(path) is not an SQLite database")
        }
        guard integer(in: bytes, at: 68) == applicationID else {
            throw .unusable("\(path) belongs to another program")
        }
        let version = integer(in: bytes, at: 60)
        guard version <= Schema.version else { throw newer(path, version: Int(version)) }
        return true
    }

    static func newer(_ path: String, version: Int) -> StoreError {
        .unusable(
            "\(path) comes from a newer version of Jobmill (schema \(version); this one knows schema \(Schema.version))"
        )
    }

    private static func integer(in bytes: [UInt8], at offset: Int) -> Int32 {
        Int32(bitPattern: bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) })
    }
}
