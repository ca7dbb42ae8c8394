import GRDB

/// The tables. Every job of the store has a *number*: its index in its batch plus the batch's `base`, the number of the batch's
/// first job. Numbers rise in the order of submission, so rows are found by an integer, belong to exactly one batch, and are
/// appended where they belong.
///
/// What a batch of one job costs decides how many of them a second can be taken. So nothing of it is written twice: `batches`
/// never changes, what changes is in `progress`, which most batches get once; a small input and a small result stand in these
/// two rows; and lists are found by block, not by an index entry of each batch (see Block.swift).
enum Schema {
    /// The `user_version` of a database that has all migrations.
    static let version = 1

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator().disablingDeferredForeignKeyChecks()
        migrator.registerMigration("1: batches and their work") { db in
            try db.execute(sql: batches + blocks + work + queues + deliveries)
            try db.execute(sql: "PRAGMA user_version = 1")
        }
        return migrator
    }

    /// `options`: see StoredOptions.swift. `queue`: NULL for the default one. `input`: of the only segment, if it is small. `phase`: see StoredValues.swift; a batch
    /// without `progress` is active, and nothing was recorded of it. `body`: of the only run of outcomes, if it is small.
    /// `finished_at` is set exactly when every job has its outcome. `counters`: a JSON object, NULL if there are none. `log_bytes`: what
    /// the jobs' logs have used up of `JobLog.bytesPerBatch`.
    private static let batches = """
        CREATE TABLE batches (
            base INTEGER PRIMARY KEY,
            id BLOB NOT NULL UNIQUE,
            total INTEGER NOT NULL CHECK (total > 0),
            created_at INTEGER NOT NULL,
            handler TEXT NOT NULL,
            priority INTEGER NOT NULL,
            options BLOB,
            traceparent TEXT,
            shared_bytes INTEGER,
            queue TEXT,
            input BLOB
        );
        CREATE TABLE progress (
            base INTEGER PRIMARY KEY,
            phase INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 3),
            succeeded INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            cancelled INTEGER NOT NULL,
            expired INTEGER NOT NULL,
            started_at INTEGER,
            finished_at INTEGER,
            body BLOB,
            counters BLOB,
            log_bytes INTEGER NOT NULL,
            CHECK ((phase >= 2) = (finished_at IS NOT NULL))
        );
        CREATE TABLE shared_values (
            base INTEGER PRIMARY KEY,
            value BLOB NOT NULL
        );

        """

    /// `queue_blocks` knows of batches in queues that have a name in their row: most are in the default one, for which a walk
    /// through everything does as well.
    private static let blocks = """
        CREATE TABLE handler_blocks (
            handler TEXT NOT NULL,
            block INTEGER NOT NULL,
            PRIMARY KEY (handler, block)
        ) WITHOUT ROWID;
        CREATE TABLE queue_blocks (
            queue TEXT NOT NULL,
            block INTEGER NOT NULL,
            PRIMARY KEY (queue, block)
        ) WITHOUT ROWID;
        CREATE TABLE unfinished_blocks (
            queue TEXT NOT NULL,
            priority INTEGER NOT NULL,
            block INTEGER NOT NULL,
            PRIMARY KEY (queue, priority, block)
        ) WITHOUT ROWID;
        CREATE INDEX unfinished_blocks_block ON unfinished_blocks (block);
        CREATE TABLE cancelled_blocks (
            block INTEGER PRIMARY KEY
        );

        """

    /// `job`: the number of the row's first job; in `attempts` and `logs`, that of its only one. `lines`: JSON objects with commas, see
    /// StoredLog.swift. `bytes`: what they have used up of `JobLog.bytesPerJob`.
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
        CREATE TABLE logs (
            job INTEGER NOT NULL,
            attempt INTEGER NOT NULL CHECK (attempt > 0),
            bytes INTEGER NOT NULL,
            dropped INTEGER NOT NULL,
            lines BLOB NOT NULL,
            PRIMARY KEY (job, attempt)
        );

        """

    /// Queues whose settings are not the usual ones.
    private static let queues = """
        CREATE TABLE queues (
            name TEXT PRIMARY KEY,
            priority INTEGER NOT NULL,
            concurrency INTEGER CHECK (concurrency > 0),
            paused INTEGER NOT NULL CHECK (paused IN (0, 1))
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
