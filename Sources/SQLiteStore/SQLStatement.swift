import GRDB
import GRDBSQLite
import Glibc
import JobModel

/// A prepared statement, driven by SQLite's own calls: GRDB's lists of arguments would cost an allocation for each value, too
/// much where hundreds of thousands of rows a second are written. It stays on the thread that uses its connection.
struct SQLStatement {
    /// Owns the handle.
    private let statement: Statement
    private let handle: OpaquePointer

    init(_ statement: Statement) {
        self.statement = statement
        handle = statement.sqliteStatement
    }

    // MARK: Parameters, counted from 1. They keep their values until they are bound again.

    func bind(_ value: Int, at index: Int32) throws { try check(sqlite3_bind_int64(handle, index, Int64(value))) }

    func bind(_ value: Int?, at index: Int32) throws {
        if let value { try bind(value, at: index) } else { try bindNull(at: index) }
    }

    func bind(_ value: Double, at index: Int32) throws { try check(sqlite3_bind_double(handle, index, value)) }

    func bind(_ value: Double?, at index: Int32) throws {
        if let value { try bind(value, at: index) } else { try bindNull(at: index) }
    }

    func bind(_ time: Timestamp, at index: Int32) throws {
        try check(sqlite3_bind_int64(handle, index, time.microseconds))
    }

    func bind(_ time: Timestamp?, at index: Int32) throws {
        if let time { try bind(time, at: index) } else { try bindNull(at: index) }
    }

    func bind(_ text: String, at index: Int32) throws {
        var text = text
        try check(
            text.withUTF8 { utf8 in
                utf8.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text(handle, index, $0.baseAddress, Int32($0.count), SQLStatement.copied)
                }
            })
    }

    func bind(_ text: String?, at index: Int32) throws {
        if let text { try bind(text, at: index) } else { try bindNull(at: index) }
    }

    /// Copies the bytes. See `run(binding:at:)` for large ones.
    func bind(_ bytes: [UInt8], at index: Int32) throws {
        try bytes.withUnsafeBytes { try bind($0, at: index, SQLStatement.copied) }
    }

    func bind(_ bytes: [UInt8]?, at index: Int32) throws {
        if let bytes { try bind(bytes, at: index) } else { try bindNull(at: index) }
    }

    func bind(_ ulid: ULID, at index: Int32) throws {
        try withUnsafeBytes(of: (ulid.high.bigEndian, ulid.low.bigEndian)) {
            try bind($0, at: index, SQLStatement.copied)
        }
    }

    func bindNull(at index: Int32) throws { try check(sqlite3_bind_null(handle, index)) }

    // MARK: Running

    /// Runs a statement that returns no rows, or of whose rows nothing is wanted.
    func run() throws {
        defer { reset() }
        while try step() {}
    }

    /// Runs a statement with one parameter that is not copied before.
    func run(binding bytes: [UInt8], at index: Int32) throws {
        try bytes.withUnsafeBytes { buffer in
            try bind(buffer, at: index, nil)
            // The parameter must not outlive the buffer.
            defer { sqlite3_bind_null(handle, index) }
            try run()
        }
    }

    /// - Returns: whether there is a row to be read.
    func step() throws -> Bool {
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw failure(code)
        }
    }

    /// Ends a run, so that it holds no lock and no snapshot. The error code that it repeats was thrown by `step`.
    func reset() { sqlite3_reset(handle) }

    // MARK: Columns, counted from 0

    func integer(_ column: Int32) -> Int { Int(sqlite3_column_int64(handle, column)) }
    func double(_ column: Int32) -> Double { sqlite3_column_double(handle, column) }
    func time(_ column: Int32) -> Timestamp { Timestamp(microseconds: sqlite3_column_int64(handle, column)) }
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    func optionalInteger(_ column: Int32) -> Int? { isNull(column) ? nil : integer(column) }
    func optionalDouble(_ column: Int32) -> Double? { isNull(column) ? nil : double(column) }
    func optionalTime(_ column: Int32) -> Timestamp? { isNull(column) ? nil : time(column) }
    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func optionalBytes(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

    func text(_ column: Int32) -> String {
        let start = sqlite3_column_text(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func bytes(_ column: Int32) -> [UInt8] {
        let start = sqlite3_column_blob(handle, column)
        return [UInt8](UnsafeRawBufferPointer(start: start, count: byteCount(column)))
    }

    /// Of a blob, without reading it.
    func byteCount(_ column: Int32) -> Int { Int(sqlite3_column_bytes(handle, column)) }

    func ulid(_ column: Int32) throws -> ULID {
        guard let start = sqlite3_column_blob(handle, column), byteCount(column) == 16 else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a stored identifier has not 16 bytes")
        }
        return ULID(
            high: UInt64(bigEndian: start.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    // MARK: Inside

    /// `SQLITE_TRANSIENT`, a cast in C that Swift does not import: SQLite copies the bytes before the call returns.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    private func bind(_ buffer: UnsafeRawBufferPointer, at index: Int32, _ ownership: sqlite3_destructor_type?) throws {
        guard let start = buffer.baseAddress, !buffer.isEmpty else {
            // A null pointer would mean NULL.
            return try check(sqlite3_bind_zeroblob(handle, index, 0))
        }
        try check(sqlite3_bind_blob64(handle, index, start, UInt64(buffer.count), ownership))
    }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw failure(code) }
    }

    private func failure(_ code: Int32) -> DatabaseError {
        // First, before anything else can change it.
        let systemError = errno
        let message = String(cString: sqlite3_errmsg(sqlite3_db_handle(handle)))
        let result = ResultCode(rawValue: code)
        return DatabaseError(
            resultCode: result.isLackOfRoom(systemError: systemError) ? .SQLITE_FULL : result, message: message)
    }
}

extension ResultCode {
    /// Whether a write failed because there is no room for it. SQLite says so of a full disk alone; to a quota and to a limit
    /// of the file's size it says that input or output failed. The number is left in `errno`: `sqlite3_system_errno` is not
    /// set by a commit that fails.
    func isLackOfRoom(systemError: Int32) -> Bool {
        switch self {
        case .SQLITE_IOERR_WRITE, .SQLITE_IOERR_FSYNC, .SQLITE_IOERR_TRUNCATE:
            [ENOSPC, EDQUOT, EFBIG].contains(systemError)
        default: false
        }
    }
}

extension Database {
    /// A statement that the connection keeps, for the next caller with the same text. The last user has reset it.
    func cached(_ sql: String) throws -> SQLStatement { SQLStatement(try cachedStatement(sql: sql)) }
}
