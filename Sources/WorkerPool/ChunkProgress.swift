import JSONBytes
import JobModel
import WorkerKit

/// Follows the outcomes of one chunk, refuses what cannot be true, and lets nothing through twice.
struct ChunkProgress {
    let chunk: UInt64
    /// Jobs whose outcomes were handed on.
    private(set) var finished = 0
    /// Jobs whose outcomes have come in frames. Those behind them, up to `finished`, were read on the page and come again.
    private var framed = Place()
    /// Where the parts end, as positions in the chunk.
    private let boundaries: [Int]

    /// How far something has got.
    private struct Place {
        var position = 0
        var part = 0
    }

    init(_ chunk: Chunk) {
        self.chunk = chunk.id
        var end = 0
        boundaries = chunk.parts.map { part in
            end += part.count
            return end
        }
    }

    var count: Int { boundaries.last ?? 0 }
    /// Whether all outcomes have come in frames.
    var isComplete: Bool { framed.position == count }

    /// Takes outcomes of a frame, which follow those of the frames before.
    /// - Returns: those that are new, from the job at `position` on.
    mutating func accept(
        position: Int, _ runs: [ChunkRun]
    ) throws(ProtocolViolation) -> (position: Int, runs: [ChunkRun]) {
        // All or nothing: runs before a bad one are not handed on either.
        let end = try check(position, runs)
        framed = end
        return handOn(from: position, to: end.position, runs)
    }

    /// Takes outcomes that stand on the page and will come in a frame, or not any more.
    mutating func anticipate(
        position: Int, _ runs: [ChunkRun]
    ) throws(ProtocolViolation) -> (position: Int, runs: [ChunkRun]) {
        let end = try check(position, runs)
        return handOn(from: position, to: end.position, runs)
    }

    private mutating func handOn(from start: Int, to end: Int, _ runs: [ChunkRun]) -> (Int, [ChunkRun]) {
        let known = finished
        guard end > known else { return (known, []) }
        finished = end
        return (known, known == start ? runs : ChunkProgress.drop(known - start, of: runs))
    }

    private func check(_ position: Int, _ runs: [ChunkRun]) throws(ProtocolViolation) -> Place {
        guard position == framed.position else {
            throw ProtocolViolation("outcomes from position \(position) on, where \(framed.position) is next")
        }
        var place = framed
        for run in runs { try check(run, &place) }
        return place
    }

    private func check(_ run: ChunkRun, _ place: inout Place) throws(ProtocolViolation) {
        guard place.part < boundaries.count, run.count <= boundaries[place.part] - place.position else {
            throw ProtocolViolation("more outcomes than there are jobs")
        }
        if case .succeeded(let count, let body) = run {
            guard CommaSeparated.validate(body, expectedCount: count) else {
                throw ProtocolViolation("results that are not JSON")
            }
        }
        place.position += run.count
        if place.position == boundaries[place.part] { place.part += 1 }
    }

    /// The runs without their first jobs.
    private static func drop(_ count: Int, of runs: [ChunkRun]) -> [ChunkRun] {
        var count = count
        var rest: [ChunkRun] = []
        for run in runs {
            if run.count <= count {
                count -= run.count
            } else if count > 0, case .succeeded(let all, let body) = run {
                let left = CommaSeparated.slice(body[...], dropping: count, taking: all - count)
                rest.append(.succeeded(count: all - count, body: Array(left)))
                count = 0
            } else {
                rest.append(run)
            }
        }
        return rest
    }
}
