import GRDB

/// The tables. Every job of the store has a *number*: its index in its batch plus the batch's `base`, the number of the batch's
/// first job. Numbers rise in the order of submission, so the rows of segments and results are found by an integer, belong to
/// exactly one batch, and are appended where they belong.
enum Schema {
    /// The `user_version` of a database that has all migrations.
    static let version = 1

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator().disablingDeferredForeignKeyChecks()
        migrator.registerMigration("1: batches and their work") { db in
            try db.execute(sql: batches + work + deliveries)
            try db.execute(sql: "PRAGMA user_version = 1")
        }
        return migrator
    }

    /// `phase`: see StoredValues.swift. `finished_at` is set exactly when every job has its outcome.
    private static let batches = """
        CREATE TABLE batches (
            base INTEGER PRIMARY KEY,
            id BLOB NOT NULL UNIQUE,
            phase INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 3),
            total INTEGER NOT NULL CHECK (total > 0),
            succeeded INTEGER NOT NULL CHECK (succeeded >= 0),
            failed INTEGER NOT NULL CHECK (failed >= 0),
            cancelled INTEGER NOT NULL CHECK (cancelled >= 0),
            expired INTEGER NOT NULL CHECK (expired >= 0),
            created_at INTEGER NOT NULL,
            started_at INTEGER,
            finished_at INTEGER,
            handler TEXT NOT NULL,
            priority INTEGER NOT NULL,
            chunk_size INTEGER,
            max_attempts INTEGER NOT NULL,
            backoff_initial REAL NOT NULL,
            backoff_factor REAL NOT NULL,
            backoff_maximum REAL NOT NULL,
            backoff_jitter REAL NOT NULL,
            timeout REAL,
            callback_url TEXT,
            callback_events TEXT,
            callback_secret TEXT,
            metadata BLOB,
            CHECK (succeeded + failed + cancelled + expired <= total),
            CHECK ((phase >= 2) = (succeeded + failed + cancelled + expired = total)),
            CHECK ((phase >= 2) = (finished_at IS NOT NULL))
        );
        CREATE INDEX batches_unfinished ON batches (priority) WHERE phase < 2;
        CREATE INDEX batches_cancelled ON batches (phase) WHERE phase = 3;
        CREATE INDEX batches_handler ON batches (handler);

        """

    /// `job`: the number of the row's first job. An attempt's `job` is the number of its only one.
    private static let work = """
        CREATE TABLE segments (
            job INTEGER PRIMARY KEY,
            count INTEGER NOT NULL CHECK (count > 0),
            input BLOB NOT NULL
        );
        CREATE TABLE results (
            job INTEGER PRIMARY KEY,
            count INTEGER NOT NULL CHECK (count > 0),
            outcome INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 3),
            body BLOB NOT NULL
        );
        CREATE INDEX results_failed ON results (job, count) WHERE outcome = 1;
        CREATE TABLE attempts (
            job INTEGER NOT NULL,
            number INTEGER NOT NULL CHECK (number > 0),
            started_at INTEGER NOT NULL,
            finished_at INTEGER NOT NULL,
            retry_at INTEGER,
            failure BLOB NOT NULL,
            PRIMARY KEY (job, number)
        ) WITHOUT ROWID;

        """

    private static let deliveries = """
        CREATE TABLE deliveries (
            id BLOB PRIMARY KEY,
            batch BLOB NOT NULL,
            event TEXT NOT NULL,
            url TEXT NOT NULL,
            secret TEXT,
            body BLOB NOT NULL,
            state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
            attempts INTEGER NOT NULL,
            due_at INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            last_status INTEGER,
            last_error TEXT
        ) WITHOUT ROWID;
        CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 0;

        """
}
