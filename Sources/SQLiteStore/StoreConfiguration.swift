package import JobStore

/// How a store on this machine is kept.
package struct StoreConfiguration: Sendable {
    /// The data folder, on a local volume. It is made, for its owner only, if it is missing.
    package var folder: String
    /// Bytes that are set aside on the disk and given back when it is full, so that accepted work can be finished. More than
    /// the write-ahead log commonly has (16 MiB and a commit), so that the log can be moved.
    package var ballastBytes: Int
    /// New batches are refused while less than this is free on the disk.
    package var minimumFreeBytes: Int
    /// The length that the write-ahead log gets in advance: what it has when it is moved into the database, and some commits.
    package var logBytes: Int
    /// The database refuses to grow beyond this; nil: as large as the disk allows.
    package var maximumDatabaseBytes: Int?
    /// Connections that answer questions, so many at once.
    package var readers: Int
    /// Called once, on the writer's thread, when the store cannot be trusted any more. The service must stop and start anew.
    package var onBroken: @Sendable (StoreError) -> Void

    package init(
        folder: String, ballastBytes: Int = 32 << 20, minimumFreeBytes: Int = 64 << 20,
        logBytes: Int = 18 << 20,
        maximumDatabaseBytes: Int? = nil, readers: Int = 3,
        onBroken: @escaping @Sendable (StoreError) -> Void
    ) {
        self.folder = folder
        self.ballastBytes = ballastBytes
        self.minimumFreeBytes = minimumFreeBytes
        self.logBytes = logBytes
        self.maximumDatabaseBytes = maximumDatabaseBytes
        self.readers = readers
        self.onBroken = onBroken
    }
}
