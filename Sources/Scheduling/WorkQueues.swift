/// Jobs of a batch that were never tried, as ranges in the order in which they are to be handed out.
struct PendingRanges: Sendable {
    /// Kept apart, so that a batch in one piece needs no array.
    private var front: Range<Int>
    /// The next one last.
    private var rest: [Range<Int>]
    private(set) var count: Int

    init(_ ranges: [Range<Int>]) {
        let filled = ranges.filter { !$0.isEmpty }
        front = filled.first ?? 0..<0
        rest = filled.dropFirst().reversed()
        count = filled.reduce(0) { $0 + $1.count }
    }

    init(_ range: Range<Int>) {
        front = range
        rest = []
        count = range.count
    }

    var first: Range<Int>? { front.isEmpty ? nil : front }

    /// Takes jobs from the beginning of the first range, at most all of it.
    mutating func takeFirst(_ number: Int) {
        let end = min(front.upperBound, front.lowerBound + number)
        count -= end - front.lowerBound
        front = end..<front.upperBound
        if front.isEmpty { front = rest.popLast() ?? 0..<0 }
    }

    /// Puts jobs before all others.
    mutating func putBack(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        count += range.count
        if front.isEmpty {
            front = range
        } else if range.upperBound == front.lowerBound {
            front = range.lowerBound..<front.upperBound
        } else {
            rest.append(front)
            front = range
        }
    }

    mutating func removeAll() { self = PendingRanges(0..<0) }
}

/// A job that was tried before and may be tried again now.
struct ReadyRetry: Sendable, Hashable {
    var index: Int
    /// Tries that failed so far.
    var failedAttempts: Int
}

/// First in, first out, without moving what stays.
struct RetryQueue: Sendable {
    private var items: [ReadyRetry] = []
    private var head = 0

    var isEmpty: Bool { head == items.count }
    var count: Int { items.count - head }
    var first: ReadyRetry? { isEmpty ? nil : items[head] }

    /// How many jobs from the first on are neighbours and on the same try, at most `limit`.
    func consecutive(atMost limit: Int) -> Int {
        guard let first else { return 0 }
        var number = 1
        while number < min(limit, count) {
            let item = items[head + number]
            guard item.index == first.index + number, item.failedAttempts == first.failedAttempts else { break }
            number += 1
        }
        return number
    }

    mutating func append(_ retry: ReadyRetry) { items.append(retry) }

    mutating func takeFirst(_ number: Int) {
        head += min(number, count)
        if head == items.count {
            items.removeAll(keepingCapacity: items.capacity <= 1024)
            head = 0
        } else if head >= 1024, head * 2 >= items.count {
            items.removeFirst(head)
            head = 0
        }
    }

    mutating func removeAll() { self = RetryQueue() }
}
