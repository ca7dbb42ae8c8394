import GRDB
import Glibc
package import JobModel
package import JobStore
import Platform

/// The store in a folder of this machine: SQLite, one thread that writes, a few connections that read.
///
/// Opening starts the writer's thread; `close` ends it. The verbs of `JobStoring` are in the extensions.
package final class SQLiteStore: Sendable {
    let inbox = WriteInbox()
    let readers: ReaderPool
    private let observers: ObserverList
    private let connection: DatabaseQueue
    private let thread: OwnedThread
    private let space: DiskSpace
    /// Held for life.
    private let lock: LockFile

    /// Opens the store in a folder, or makes a new one there. What cannot be used is left untouched.
    /// - Throws: `locked` if another process has it open, `unusable` if it is damaged, foreign, from a newer version, or if the
    ///   folder is not writable, `full` if the disk has no room for the files that go with an open database.
    package static func open(_ configuration: StoreConfiguration) throws(StoreError) -> SQLiteStore {
        let folder = StoreFolder(path: configuration.folder)
        do {
            return try open(configuration, folder)
        } catch {
            // A store that ran the disk full must be able to start again and finish its work.
            guard case .full = error, unlink(folder.ballast) == 0 else { throw error }
            return try open(configuration, folder)
        }
    }

    private static func open(_ configuration: StoreConfiguration, _ folder: StoreFolder) throws(StoreError)
        -> SQLiteStore
    {
        try folder.prepare()
        // Whoever has the store open has left a lock file; without one, nothing is made before the database is judged.
        var lock = try LockFile.acquire(folder.lock, creating: false)
        let exists = try DatabaseHeader.exists(at: folder.database)
        if lock == nil { lock = try LockFile.acquire(folder.lock, creating: true) }
        guard let lock else { throw .unusable("the lock file \(folder.lock) is gone") }
        try lock.sign()
        Connections.configureLibrary()
        if !exists { try Connections.create(in: folder) }
        let connection = try Connections.openWriter(folder, maximumBytes: configuration.maximumDatabaseBytes)
        var readers: [DatabaseQueue] = []
        for _ in 0..<max(1, configuration.readers) { readers.append(try Connections.openReader(folder)) }
        return try SQLiteStore(configuration, folder, lock, connection, ReaderPool(readers))
    }

    private init(
        _ configuration: StoreConfiguration, _ folder: StoreFolder, _ lock: LockFile, _ connection: DatabaseQueue,
        _ readers: ReaderPool
    ) throws(StoreError) {
        let observers = ObserverList()
        let space = DiskSpace(
            folder: folder, minimumFreeBytes: configuration.minimumFreeBytes, ballastBytes: configuration.ballastBytes)
        if space.hasRoom(for: configuration.logBytes) { LogSpace.reserve(configuration.logBytes, at: folder.log) }
        self.observers = observers
        self.lock = lock
        self.space = space
        self.connection = connection
        self.readers = readers
        do {
            thread = try OwnedThread(name: "store-writer") { [inbox] in
                Writer.run(connection, inbox: inbox, onBroken: configuration.onBroken) { db in
                    try GroupCommitter(
                        db, space: space, observers: observers, onBroken: configuration.onBroken)
                }
            }
        } catch {
            throw .unusable("\(error)")
        }
    }

    /// Why a new batch would be refused right now for lack of room; nil: there is room. For `/readyz`.
    package func shortage() -> StoreError? { space.shortage }

    /// From the next commit on the observer hears of what changes. The store keeps it until it is closed.
    package func addObserver(_ observer: any StoreObserver) { observers.add(observer) }

    /// Writes what waits, waits for reads that are under way, and gives the folder free. Afterwards every verb says `closed`.
    /// Call it once, and not from a completion or an observer.
    package func close() throws(StoreError) {
        inbox.close()
        thread.join()
        observers.removeAll()
        try readers.close()
        do {
            try connection.close()
        } catch {
            throw StoreError(error)
        }
        lock.release()
    }
}

extension SQLiteStore: BatchSubmitting {
    package func submit(_ batch: NewBatch, completion: @escaping StoreCompletion<BatchRecord>) {
        inbox.put(.submit(batch, completion))
    }

    package func requestCancel(_ batch: BatchID, completion: @escaping StoreCompletion<BatchRecord?>) {
        inbox.put(.requestCancel(batch, completion))
    }
}

extension SQLiteStore: OutcomeRecording {
    package func record(_ recordings: [Recording], completion: @escaping StoreCompletion<Void>) {
        inbox.put(.record(recordings, completion))
    }

    package func cancelPending(
        of batch: BatchID, except running: [Range<Int>], at time: Timestamp, completion: @escaping StoreCompletion<Void>
    ) {
        inbox.put(.cancelPending(batch, except: running, at: time, completion))
    }
}
