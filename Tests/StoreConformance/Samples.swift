import JobModel
import JobStore
import Synchronization

/// Values to try a store with.
enum Sample {
    private static let generator = Mutex(ULIDGenerator())

    static let start = Timestamp(microseconds: 1_769_688_000_000_000)

    static func time(_ seconds: Double) -> Timestamp { start.advanced(bySeconds: seconds) }

    /// Rising, as a server makes them.
    static func batchID() -> BatchID {
        generator.withLock { generator in
            var random = SystemRandomNumberGenerator()
            return BatchID(generator.next(milliseconds: 1_769_688_000_000, using: &random))
        }
    }

    /// Jobs `0, 1, 2, …` whose payloads are their indices.
    static func batch(
        _ total: Int, handler: String = "square", options: BatchOptions = BatchOptions(), segment: Int = 1000
    ) -> NewBatch {
        let segments = stride(from: 0, to: total, by: segment).map { first in
            let count = min(segment, total - first)
            return Segment(first: first, count: count, input: values(first..<first + count))
        }
        return NewBatch(id: batchID(), handler: handler, options: options, createdAt: start, segments: segments)
    }

    /// `0,1,2`
    static func values(_ range: Range<Int>) -> [UInt8] { Array(range.map(String.init).joined(separator: ",").utf8) }

    static func run(_ range: Range<Int>, _ outcome: Outcome = .succeeded) -> OutcomeRun {
        let body: [UInt8] =
            switch outcome {
            case .succeeded: values(range)
            case .failed: Array(range.map { #"{"kind":"exception","message":"\#($0)"}"# }.joined(separator: ",").utf8)
            case .cancelled, .expired: []
            }
        return OutcomeRun(first: range.lowerBound, count: range.count, outcome: outcome, body: body)
    }

    static func recording(_ batch: BatchID, _ runs: OutcomeRun..., at seconds: Double = 1) -> Recording {
        Recording(batch: batch, runs: runs, recordedAt: time(seconds))
    }

    static func attempt(_ index: Int, number: Int = 1, retryAfter delay: Double?) -> AttemptRecord {
        AttemptRecord(
            index: index, number: number, failure: Failure(kind: .exception, message: "no", type: "E"),
            startedAt: time(0.5), finishedAt: time(0.75), retryAt: delay.map(time))
    }

    /// Every option different from its default.
    static let unusualOptions = BatchOptions(
        priority: -42, chunkSize: .exactly(17),
        retries: RetryPolicy(maximumAttempts: 9, backoff: Backoff(initial: 0.1, factor: 1.5, maximum: 7, jitter: 0.25)),
        timeout: 12.75,
        callback: Callback(
            url: "https://example.org/hook?a=ü", events: ["batch.completed", "other.event"], secret: "whsec_x"),
        metadata: Array(#"{"key": ["välue", null]}"#.utf8),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
}

extension [OutcomeRun] {
    /// Touching runs of the same outcome as one, so that stores may cut them differently.
    var joined: [OutcomeRun] {
        reduce(into: []) { runs, run in
            guard let last = runs.last, last.range.upperBound == run.first, last.outcome == run.outcome else {
                return runs.append(run)
            }
            runs[runs.count - 1].count += run.count
            runs[runs.count - 1].body += (last.body.isEmpty ? [] : [UInt8(ascii: ",")]) + run.body
        }
    }
}
