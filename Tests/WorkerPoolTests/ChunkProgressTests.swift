import JobModel
import Testing
import WorkerKit

@testable import WorkerPool

@Suite struct ChunkProgressTests {
    private let chunk = Chunk(
        id: 3, handler: "h", timeout: nil,
        parts: [2, 3].map {
            Chunk.Part(batch: BatchID(ULID(high: 1, low: 1)), first: 0, count: $0, attempt: 1, input: [])
        })

    private func results(_ text: String, count: Int) -> ChunkRun { .succeeded(count: count, body: Array(text.utf8)) }

    @Test func followsAChunkToItsEnd() throws {
        var progress = ChunkProgress(chunk)
        let first = try progress.accept(
            position: 0, [results("1", count: 1), .failed(Failure(kind: .exception, message: ""))])
        #expect(first.position == 0 && first.runs.count == 2)
        #expect(progress.finished == 2)
        #expect(!progress.isComplete)
        _ = try progress.accept(position: 2, [results("1,[2],{}", count: 3)])
        #expect(progress.isComplete)
    }

    @Test func refusesWhatCannotBe() throws {
        let hostile: [(Int, [ChunkRun])] = [
            (1, [results("1", count: 1)]),
            (0, [results("1,2,3", count: 3)]),
            (0, [results("1", count: 2)]),
            (0, [results("1,", count: 2)]),
            (0, [results("{", count: 1)]),
            (0, [results("1", count: 1), results("x", count: 1)]),
            (0, [results("1,2", count: 2), results("1,2,3", count: 3), results("1", count: 1)]),
        ]
        for (position, runs) in hostile {
            var progress = ChunkProgress(chunk)
            #expect(throws: ProtocolViolation.self) { _ = try progress.accept(position: position, runs) }
            #expect(progress.finished == 0, "all or nothing")
        }
    }

    @Test func outcomesFromThePageComeOnlyOnce() throws {
        var progress = ChunkProgress(chunk)
        #expect(try progress.anticipate(position: 0, [results("1", count: 1)]).runs == [results("1", count: 1)])
        #expect(progress.finished == 1)
        let again = try progress.anticipate(position: 0, [results("1,2", count: 2), results("[3],4", count: 2)])
        #expect(again.position == 1)
        #expect(again.runs == [results("2", count: 1), results("[3],4", count: 2)])
        #expect(try progress.anticipate(position: 0, [results("1,2", count: 2)]).runs == [])
        #expect(!progress.isComplete)

        #expect(try progress.accept(position: 0, [results("1,2", count: 2)]).runs == [])
        let failure = ChunkRun.failed(Failure(kind: .exception, message: ""))
        let rest = try progress.accept(position: 2, [results("[3],4", count: 2), failure])
        #expect(rest.position == 4)
        #expect(rest.runs == [failure])
        #expect(progress.isComplete)
    }

    @Test func thePageMustFollowTheFrames() throws {
        var progress = ChunkProgress(chunk)
        #expect(throws: ProtocolViolation.self) { _ = try progress.anticipate(position: 1, [results("2", count: 1)]) }
        #expect(throws: ProtocolViolation.self) { _ = try progress.anticipate(position: 0, [results("2", count: 9)]) }
        #expect(progress.finished == 0)
    }
}
