import JobModel
import Platform
import Testing

@testable import WorkerKit

/// Results that a worker has written to its page without counting them.
final class UncountedResultsTests {
    private let memory: SharedMemory
    private let page: SharedPage
    private let region = SharedPage.size - SharedPage.regionSize
    private let uncounted: UInt64 = 0xFF_FFFF << 40

    init() throws {
        let file = try SharedPage.makeFile()
        memory = try SharedMemory(mapping: file, size: SharedPage.size)
        page = try SharedPage(mapping: file)
        memory.storeWord(1, at: 0)
        memory.storeWord(uncounted, at: 32)
    }

    /// Where the first one goes, if nothing is closed.
    private var start: Int { region + RunCoding.headerSize }

    private func text(_ string: String) -> [UInt8] { Array(string.utf8) }

    private func write(_ bytes: [UInt8], at offset: Int) { bytes.withUnsafeBytes { memory.write($0, at: offset) } }

    private func found() throws -> [ChunkRun] { try page.unsentOutcomes(of: 1).runs }

    /// Each byte alone becomes visible, in whatever order.
    @Test func aResultIsThereAsAWholeOrNotAtAll() throws {
        #expect(try found().isEmpty)
        let result = text(#"{"a":[1,"2,"]},"#)
        for order in [
            Array(result.indices), result.indices.reversed(), result.indices.sorted { $0 * 7 % 15 < $1 * 7 % 15 },
        ] {
            write(Array(repeating: 0, count: result.count), at: start)
            for place in order {
                #expect(try found().isEmpty)
                write([result[place]], at: start + place)
            }
            #expect(try found() == [.succeeded(count: 1, body: Array(result.dropLast()))])
        }
        for (count, byte) in text("12").enumerated() {
            write([byte], at: start + result.count + count)
            #expect(try found().map(\.count) == [1], "the second one may go on")
        }
        write(text(","), at: start + result.count + 2)
        #expect(try found() == [.succeeded(count: 2, body: text(#"{"a":[1,"2,"]},12"#))])
    }

    @Test func theyStandBehindClosedRunsUpToTheVeryEnd() throws {
        let closed = RunCoding.header(.succeeded, count: 1, length: 1) + text("7")
        write(closed, at: region)
        memory.storeWord(uncounted | UInt64(closed.count), at: 32)
        let room = SharedPage.size - start - closed.count
        write(text("\"" + String(repeating: "x", count: room - 3) + "\""), at: start + closed.count)
        #expect(try found() == [.succeeded(count: 1, body: text("7"))])
        write(text(","), at: SharedPage.size - 1)
        #expect(try found().map(\.count) == [1, 1])
    }

    @Test func aFullRegionHasRoomForNone() throws {
        for end in UInt64(SharedPage.regionSize - RunCoding.headerSize)...UInt64(SharedPage.regionSize) {
            memory.storeWord(uncounted | end, at: 32)
            #expect(throws: ProtocolViolation.self, "zeros are no runs") { _ = try found() }
        }
        memory.storeWord(uncounted | 0xF_FFFF, at: 32)
        #expect(throws: ProtocolViolation.self) { _ = try found() }
    }
}
