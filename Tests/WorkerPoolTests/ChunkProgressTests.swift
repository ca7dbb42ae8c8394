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
        try progress.accept(position: 0, [results("1", count: 1), .failed(Failure(kind: .exception, message: ""))])
        #expect(progress.finished == 2)
        #expect(!progress.isComplete)
        try progress.accept(position: 2, [results("1,[2],{}", count: 3)])
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
            #expect(throws: ProtocolViolation.self) { try progress.accept(position: position, runs) }
            #expect(progress.finished == 0, "all or nothing")
        }
    }
}
