import GRDB
import GRDBSQLite

/// Moves the write-ahead log into the database, after the answers of a commit are out. Only the writer does this.
struct Checkpointer {
    /// In pages: a log of 16 MiB is moved in some ten milliseconds, and moving it rarely saves writing the same page often.
    private static let interval = Int32((16 << 20) / Connections.pageSize)
    /// If readers keep the log from starting over, it is waited for them when it has grown to this many pages.
    private static let patience: Int32 = 8 * interval

    private let db: Database

    init(_ db: Database) { self.db = db }

    func checkpointIfDue() {
        guard pagesWritten(resetting: false) >= Checkpointer.interval else { return }
        _ = pagesWritten(resetting: true)
        let logged = checkpoint(SQLITE_CHECKPOINT_PASSIVE)
        if logged >= Checkpointer.patience { _ = checkpoint(SQLITE_CHECKPOINT_RESTART) }
    }

    /// Moves the whole log and gives its room on the disk back.
    func shrinkLog() { _ = checkpoint(SQLITE_CHECKPOINT_TRUNCATE) }

    /// Pages written to the log since the counter was reset.
    private func pagesWritten(resetting: Bool) -> Int32 {
        var current: Int32 = 0
        var highest: Int32 = 0
        sqlite3_db_status(db.sqliteConnection, SQLITE_DBSTATUS_CACHE_WRITE, &current, &highest, resetting ? 1 : 0)
        return current
    }

    /// A checkpoint that fails or is held up leaves the log longer than it could be, and no harm: the next one does its work.
    /// - Returns: the length of the log in pages.
    private func checkpoint(_ mode: Int32) -> Int32 {
        var logged: Int32 = 0
        var moved: Int32 = 0
        sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, mode, &logged, &moved)
        return logged
    }
}
