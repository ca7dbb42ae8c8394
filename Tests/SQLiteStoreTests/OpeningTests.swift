import GRDB
import Glibc
import JobModel
import JobStore
import SQLiteStore
import Testing

@Suite struct OpeningTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var database: String { folder.path + "/jobmill.sqlite" }

    private func open() throws -> SQLiteStore { try SQLiteStore.open(.forTests(folder.path)) }

    private func failureToOpen() -> StoreError? {
        do {
            try open().close()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    /// Opens what cannot be used: a clear sentence, and every file as it was.
    private func expectUnusable(_ words: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let before = try contents()
        let failure = failureToOpen()
        guard case .unusable(let detail)? = failure else {
            Issue.record("opened, or failed with \(String(describing: failure))", sourceLocation: sourceLocation)
            return
        }
        #expect(detail.contains(words), sourceLocation: sourceLocation)
        #expect(!detail.contains("\n"), sourceLocation: sourceLocation)
        #expect(try contents() == before, sourceLocation: sourceLocation)
    }

    private func contents() throws -> [String: [UInt8]] {
        try Dictionary(uniqueKeysWithValues: folder.names.map { ($0, try TestFile.read(folder.path + "/" + $0)) })
    }

    @Test func makesTheFolderAndItsParentsForTheirOwnerOnly() throws {
        let deep = folder.path + "/a/b"
        try SQLiteStore.open(.forTests(deep)).close()
        for path in [folder.path + "/a", deep] {
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o700)
        }
        for name in ["jobmill.sqlite", "jobmill.lock", "jobmill.ballast"] { #expect(unlink(deep + "/" + name) == 0) }
        #expect(rmdir(deep) == 0 && rmdir(folder.path + "/a") == 0)
    }

    @Test func filesAreForTheirOwnerOnly() throws {
        let store = try open()
        defer { try? store.close() }
        let names = folder.names
        #expect(names.contains("jobmill.sqlite-wal") && names.contains("jobmill.sqlite-shm"))
        for name in names {
            var status = stat()
            #expect(stat(folder.path + "/" + name, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600, "\(name)")
        }
    }

    @Test func aClosedStoreLeavesNoLogBehindAndOpensAgain() throws {
        for _ in 0..<3 {
            try open().close()
            #expect(folder.names == ["jobmill.ballast", "jobmill.lock", "jobmill.sqlite"])
        }
    }

    @Test func aSecondServerIsToldWhoHoldsTheStore() throws {
        let store = try open()
        let before = folder.names
        let failure = failureToOpen()
        if case .locked(let detail)? = failure {
            #expect(detail.contains("process \(getpid()) "))
            #expect(!detail.contains("\n"))
        } else {
            Issue.record("opened, or failed with \(String(describing: failure))")
        }
        #expect(folder.names == before)
        // The first one is unharmed.
        #expect(try store.unfinishedLanes() == [])
        try store.close()
        try open().close()
    }

    @Test func aHalfMadeDatabaseIsMadeAnew() throws {
        try TestFile.write(Array("SQLite format 3\0half".utf8), to: database + ".new")
        try open().close()
        #expect(folder.names == ["jobmill.ballast", "jobmill.lock", "jobmill.sqlite"])
    }

    @Test(arguments: ["", "hello", String(repeating: "no database ", count: 1000)])
    func whatIsNoDatabaseIsLeftAlone(text: String) throws {
        try TestFile.write(Array(text.utf8), to: database)
        try expectUnusable("is not an SQLite database")
    }

    @Test func theDatabaseOfAnotherProgramIsLeftAlone() throws {
        let queue = try DatabaseQueue(path: database)
        try queue.write { db in try db.execute(sql: "CREATE TABLE batches (id INTEGER)") }
        try queue.close()
        try expectUnusable("belongs to another program")
    }

    @Test func aNewerDatabaseIsLeftAlone() throws {
        try open().close()
        let queue = try DatabaseQueue(path: database)
        try queue.write { db in try db.execute(sql: "PRAGMA user_version = 99") }
        try queue.close()
        // The lock file is there from before and names this process again.
        try expectUnusable("newer version of Jobmill (schema 99; this one knows schema 1)")
    }

    @Test func anUnknownMigrationIsNoticed() throws {
        try open().close()
        let queue = try DatabaseQueue(path: database)
        try queue.write { db in try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('2: something new')") }
        try queue.close()
        try expectUnusable("newer version of Jobmill")
    }

    @Test(arguments: ["DROP TABLE queues", "ALTER TABLE batches DROP COLUMN queue", "CREATE TABLE more (x INTEGER)"])
    func tablesOfAnotherBuildAreNoticed(change: String) throws {
        try open().close()
        let queue = try DatabaseQueue(path: database)
        try queue.write { db in try db.execute(sql: change) }
        try queue.close()
        try expectUnusable("was made by another build of Jobmill")
    }

    @Test func aTruncatedDatabaseIsRefused() throws {
        try open().close()
        try TestFile.write(Array(TestFile.read(database).prefix(8192)), to: database)
        try expectUnusable("malformed")
    }

    @Test func aDamagedSchemaIsRefused() throws {
        try open().close()
        var bytes = try TestFile.read(database)
        for offset in 100..<4096 { bytes[offset] = 0xA5 }
        try TestFile.write(bytes, to: database)
        try expectUnusable(database)
    }

    @Test func aFolderThatIsNoneOrCannotBeMadeIsRefused() throws {
        let file = folder.path + "/file"
        try TestFile.write([1], to: file)
        for path in [file, file + "/below", "/proc/jobmill", "/proc/jobmill/data"] {
            do {
                try SQLiteStore.open(.forTests(path)).close()
                Issue.record("\(path) was opened")
            } catch {
                // The sentence names the folder, or its parent that cannot be made.
                let names = [file, "/proc/jobmill"].contains { "\(error)".contains($0) }
                #expect(error.isUnusable && names, "\(error)")
            }
        }
        #expect(folder.names == ["file"])
    }

    @Test func anUnwritableFolderIsRefused() throws {
        // The kernel's own files are for nobody to write beside, not even for root.
        let failure = #expect(throws: StoreError.self) { try SQLiteStore.open(.forTests("/proc/sys")) }
        guard case .unusable(let detail)? = failure else {
            Issue.record("failed with \(String(describing: failure))")
            return
        }
        #expect(detail.contains("is not writable"))
    }
}

/// Small files, whole.
enum TestFile {
    static func read(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try #require(fopen(path, "w"))
        defer { fclose(file) }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }
}

extension StoreError {
    fileprivate var isUnusable: Bool { if case .unusable = self { true } else { false } }
}
