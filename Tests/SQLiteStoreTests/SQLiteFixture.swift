import GRDB
import Glibc
import JobStore
import StoreConformance
import Testing

@testable import SQLiteStore

/// A folder that goes away with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/jobmill-store-XXXXXX".utf8CString)
        path = try template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, mkdtemp(start) != nil else {
                throw StoreError.unusable("mkdtemp failed")
            }
            return String(cString: start)
        }
    }

    deinit {
        for name in names { unlink(path + "/" + name) }
        rmdir(path)
    }

    /// The files in it, sorted.
    var names: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

/// A store in a folder of its own.
final class SQLiteFixture: StoreFixture {
    let folder: TemporaryFolder
    let log = ChangeLog()
    private(set) var sqlite: SQLiteStore
    private var isOpen = true
    private let configuration: StoreConfiguration

    var store: any JobStoring { sqlite }

    init(_ adjust: (inout StoreConfiguration) -> Void = { _ in }) throws {
        folder = try TemporaryFolder()
        configuration = StoreConfiguration.forTests(folder.path, adjust)
        sqlite = try SQLiteStore.open(configuration)
        sqlite.addObserver(log)
    }

    deinit {
        if isOpen { try? sqlite.close() }
    }

    func close() throws {
        isOpen = false
        try sqlite.close()
    }

    func reopen() throws {
        if isOpen { try close() }
        sqlite = try SQLiteStore.open(configuration)
        sqlite.addObserver(log)
        isOpen = true
    }
}

extension SQLiteFixture {
    /// Overwrites the first page of a table, which the open store must not have read yet.
    func damagePages(of table: String) throws {
        let path = folder.path + "/jobmill.sqlite"
        let page = try DatabaseQueue(path: path).read { db in
            try Int.fetchOne(db, sql: "SELECT rootpage FROM sqlite_master WHERE name = ?", arguments: [table])
        }
        var bytes = try TestFile.read(path)
        let start = (try #require(page) - 1) * Connections.pageSize
        for offset in start..<start + Connections.pageSize { bytes[offset] = 0xA5 }
        let file = try #require(fopen(path, "r+"))
        defer { fclose(file) }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }
}

extension StoreConfiguration {
    static func forTests(_ folder: String, _ adjust: (inout StoreConfiguration) -> Void = { _ in })
        -> StoreConfiguration
    {
        var configuration = StoreConfiguration(
            folder: folder, ballastBytes: 4096, minimumFreeBytes: 0, logBytes: 100_000,
            onBroken: { error in Issue.record("the store broke: \(error)") })
        adjust(&configuration)
        return configuration
    }
}
