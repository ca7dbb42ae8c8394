import JSONBytes
import JobModel
import WorkerKit

/// Follows the outcomes of one chunk and refuses what cannot be true.
struct ChunkProgress {
    let chunk: UInt64
    /// Jobs whose outcomes have come.
    private(set) var finished = 0
    /// Where the parts end, as positions in the chunk.
    private let boundaries: [Int]
    private var part = 0

    init(_ chunk: Chunk) {
        self.chunk = chunk.id
        var end = 0
        boundaries = chunk.parts.map { part in
            end += part.count
            return end
        }
    }

    var isComplete: Bool { finished == boundaries.last ?? 0 }

    /// Takes outcomes that follow those that came before.
    mutating func accept(position: Int, _ runs: [ChunkRun]) throws(ProtocolViolation) {
        guard position == finished else {
            throw ProtocolViolation("outcomes from position \(position) on, where \(finished) is next")
        }
        // All or nothing: runs before a bad one are not handed on either.
        var next = self
        for run in runs { try next.accept(run) }
        self = next
    }

    private mutating func accept(_ run: ChunkRun) throws(ProtocolViolation) {
        guard part < boundaries.count, run.count <= boundaries[part] - finished else {
            throw ProtocolViolation("more outcomes than there are jobs")
        }
        if case .succeeded(let count, let body) = run {
            guard CommaSeparated.validate(body, expectedCount: count) else {
                throw ProtocolViolation("results that are not JSON")
            }
        }
        finished += run.count
        if finished == boundaries[part] { part += 1 }
    }
}
