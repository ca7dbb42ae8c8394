import Foundation
import JobModel
import Testing
import WorkerKit

@testable import CommandHandlers

struct SharedFileTests {
    @Test func othersReadWhatTheBatchShares() throws {
        let file = SharedFile()
        let large = "\"" + String(repeating: "x", count: 1_000_000) + "\""
        let path = try file.path(of: Array(large.utf8), batch: Trial.batch)
        #expect(try Trial(.exec, "cat \(path)", maximumResultBytes: 1 << 21).run("1") == .result(large))
        #expect(try file.path(of: Array(large.utf8), batch: Trial.batch) == path)
        let other = try file.path(of: Array("2".utf8), batch: BatchID(ULID(high: 1, low: 8)))
        #expect(try Trial(.exec, "cat \(other)").run("1") == .result("2"))
        #expect(try file.path(for: JobContext(batch: Trial.batch, index: 0, attempt: 1)) == nil)
    }
}
