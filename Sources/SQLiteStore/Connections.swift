import CSQLite
import GRDB
import GRDBSQLite
import Glibc
import JobStore

/// Opens the connections. Exactly one writes and checkpoints, the others can only read.
enum Connections {
    /// Bytes of a page of a new store. Large batches are written and read with half the system calls that SQLite's usual 4 KiB
    /// take (a map of 100,000 small objects: 7 % less time), and a commit of one job takes as long (both builds in turns,
    /// 2026-11-28).
    static let pageSize = 8192

    /// To be called before SQLite is used for the first time.
    static func configureLibrary() { csqlite_do_not_count_memory() }

    /// Opens a database that was judged to be ours, and brings its schema up to date.
    static func openWriter(_ folder: StoreFolder, maximumBytes: Int?) throws(StoreError) -> DatabaseQueue {
        let path = folder.database
        do {
            var configuration = baseConfiguration(label: "store-writer")
            configuration.busyMode = .timeout(0.25)
            configuration.prepareDatabase { db in
                try db.execute(
                    sql: """
                        PRAGMA synchronous = FULL;
                        PRAGMA wal_autocheckpoint = 0;
                        PRAGMA cache_size = -16384;
                        PRAGMA journal_size_limit = 67108864;
                        """)
                if let maximumBytes {
                    let pageSize = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? pageSize
                    _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(max(1, maximumBytes / pageSize))")
                }
            }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.unsafeRead { db in
                guard try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL") == "wal" else {
                    throw StoreError.unusable("\(path) cannot be used with a write-ahead log")
                }
                guard try !Schema.migrator.hasBeenSuperseded(db) else {
                    throw DatabaseHeader.newer(path, version: try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0)
                }
            }
            // Before a release the first migration itself may change, and a store keeps the tables that it was made with.
            guard try !queue.unsafeRead(Schema.migrator.hasSchemaChanges) else {
                throw StoreError.unusable(
                    "\(path) was made by another build of Jobmill, whose tables differ (both are schema \(Schema.version)): "
                        + "use that build, or an empty folder")
            }
            if try !queue.unsafeRead(Schema.migrator.hasCompletedMigrations) {
                try Schema.migrator.migrate(queue)
                // The header that `DatabaseHeader` judges must not wait in the log.
                try queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
            }
            return queue
        } catch {
            throw StoreError(opening: path, in: folder, error)
        }
    }

    /// - Parameter folder: where a writer is open.
    static func openReader(_ folder: StoreFolder) throws(StoreError) -> DatabaseQueue {
        var configuration = baseConfiguration(label: "store-reader")
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA query_only = ON; PRAGMA cache_size = -2048")
        }
        do {
            return try DatabaseQueue(path: folder.database, configuration: configuration)
        } catch {
            throw StoreError(opening: folder.database, in: folder, error)
        }
    }

    /// Makes a new database under another name and renames it when it is whole: there is never half of one.
    static func create(in folder: StoreFolder) throws(StoreError) {
        let path = folder.unfinishedDatabase
        for leftover in [path, path + "-journal", path + "-wal", path + "-shm"] { unlink(leftover) }
        try StoreFolder.makeFile(path)
        do {
            var configuration = baseConfiguration(label: "store-creation")
            configuration.prepareDatabase { db in
                try db.execute(
                    sql: "PRAGMA page_size = \(pageSize); PRAGMA application_id = \(DatabaseHeader.applicationID)")
            }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try Schema.migrator.migrate(queue)
            try queue.unsafeRead { db in _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL") }
            try queue.close()
        } catch {
            throw StoreError(opening: path, in: folder, error)
        }
        try StoreFolder.synchronize(path)
        guard rename(path, folder.database) == 0 else {
            throw .unusable("cannot rename \(path)")
        }
        try folder.synchronize()
    }

    private static func baseConfiguration(label: String) -> Configuration {
        var configuration = Configuration()
        configuration.label = label
        configuration.foreignKeysEnabled = false
        return configuration
    }
}
