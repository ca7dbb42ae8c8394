import Foundation
import JobModel
import JobStore
import SQLiteStore
import StoreConformance
import Testing

/// A file system of its own, which is full soon.
private final class SmallDisk {
    let path: String

    /// - Returns: nil if this process may not mount one.
    init?(bytes: Int) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        guard try SmallDisk.run("mount", "-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", path) else {
            try FileManager.default.removeItem(atPath: path)
            return nil
        }
    }

    deinit {
        _ = try? SmallDisk.run("umount", path)
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Leaves no byte free.
    func fill() throws {
        let file = try #require(fopen(path + "/filler", "a"))
        setvbuf(file, nil, _IONBF, 0)
        let block = [UInt8](repeating: 1, count: 4096)
        while fwrite(block, 1, block.count, file) == block.count {}
        fclose(file)
    }

    func empty() { unlink(path + "/filler") }

    private static func run(_ arguments: String...) throws -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

@Suite struct SmallDiskTests {
    private func batch(_ number: UInt64) -> NewBatch {
        NewBatch(
            id: BatchID(ULID(high: number, low: 0)), handler: "h", options: BatchOptions(),
            createdAt: Timestamp(microseconds: 0),
            segments: [Segment(first: 0, count: 1, input: [UInt8(ascii: "1")])])
    }

    /// Needs the right to mount a file system; elsewhere there is nothing to try it on.
    @Test func `a store that ran its disk full starts again on its ballast and finishes its work`() throws {
        guard let disk = try SmallDisk(bytes: 2 << 20) else { return }
        let folder = disk.path + "/data"
        let configuration = StoreConfiguration.forTests(folder) { $0.ballastBytes = 512 << 10 }
        let first = try SQLiteStore.open(configuration)
        let submitted = Awaited<BatchRecord>()
        first.submit(batch(1), completion: submitted.completion)
        _ = try submitted.get()
        try first.close()
        #expect(FileManager.default.fileExists(atPath: folder + "/jobmill.ballast"))

        try disk.fill()
        let second = try SQLiteStore.open(configuration)
        #expect(!FileManager.default.fileExists(atPath: folder + "/jobmill.ballast"))
        let recorded = Awaited<Void>()
        let run = OutcomeRun(first: 0, count: 1, outcome: .succeeded, body: [49])
        second.record(
            [Recording(batch: batch(1).id, runs: [run], recordedAt: Timestamp(microseconds: 1))],
            completion: recorded.completion)
        try recorded.get()
        try second.close()

        // Without ballast to throw off it is said what is wrong, and nothing is harmed.
        try disk.fill()
        #expect {
            try SQLiteStore.open(configuration).close()
        } throws: { error in
            if case StoreError.full(let detail)? = error as? StoreError {
                !detail.contains("\n")
            } else {
                false
            }
        }
        disk.empty()
        let third = try SQLiteStore.open(configuration)
        #expect(try third.batch(batch(1).id)?.phase == .completed)
        try third.close()
    }

    @Test func `a new store is not made on a full disk, and is made when there is room`() throws {
        guard let disk = try SmallDisk(bytes: 1 << 20) else { return }
        try disk.fill()
        #expect {
            try SQLiteStore.open(.forTests(disk.path)).close()
        } throws: { error in
            if case StoreError.full? = error as? StoreError { true } else { false }
        }
        disk.empty()
        try SQLiteStore.open(.forTests(disk.path)).close()
    }
}
