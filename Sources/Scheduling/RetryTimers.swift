import Platform

/// A job that rests before its next try.
struct RetryTimer: Sendable {
    var due: MonotonicTime
    /// Where its batch is, and which of the batches that have been there it is.
    var place: Int
    var generation: UInt32
    var retry: ReadyRetry
    /// It must run alone.
    var isIsolated: Bool
}

/// Resting jobs, the one that is due first in front: a binary heap.
struct RetryTimers: Sendable {
    private static let smallestCompaction = 1024

    private var heap: [RetryTimer] = []
    /// Timers of jobs that do not rest any more, as their batch was cancelled.
    private var abandoned = 0

    var first: RetryTimer? { heap.first }
    var count: Int { heap.count }

    /// Says how many more timers have become useless; they stay until they are due or removed by `compact`.
    mutating func abandon(_ number: Int) { abandoned += number }

    /// Removes useless timers once they are more than the others: so that cancelling stays cheap.
    mutating func compact(keeping isAwaited: (RetryTimer) -> Bool) {
        guard abandoned > heap.count - abandoned + Self.smallestCompaction else { return }
        // An ascending array is a heap.
        heap = heap.filter(isAwaited).sorted { $0.due < $1.due }
        abandoned = 0
    }

    mutating func insert(_ timer: RetryTimer) {
        heap.append(timer)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].due < heap[parent].due else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> RetryTimer? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in 2 * parent + 1...2 * parent + 2 where child < heap.count && heap[child].due < heap[least].due {
                least = child
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
