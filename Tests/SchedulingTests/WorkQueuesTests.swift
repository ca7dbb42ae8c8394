import Testing

@testable import Scheduling

struct PendingRangesTests {
    @Test func `hands out range by range`() {
        var pending = PendingRanges([0..<3, 5..<5, 7..<9])
        #expect(pending.count == 5)
        pending.takeFirst(2)
        #expect(pending.first == 2..<3)
        pending.takeFirst(10)
        #expect(pending.first == 7..<9)
        #expect(pending.count == 2)
        pending.takeFirst(2)
        #expect(pending.first == nil)
        #expect(pending.count == 0)
    }

    @Test func `what is put back comes first and joins its neighbour`() {
        var pending = PendingRanges(10..<20)
        pending.putBack(8..<10)
        #expect(pending.first == 8..<20)
        pending.putBack(1..<3)
        #expect(pending.first == 1..<3)
        #expect(pending.count == 14)
        pending.takeFirst(2)
        #expect(pending.first == 8..<20)
    }

    @Test func `an emptied queue takes something back`() {
        var pending = PendingRanges(0..<1)
        pending.takeFirst(1)
        pending.putBack(0..<1)
        #expect(pending.first == 0..<1)
    }
}

struct RetryQueueTests {
    @Test func `first in, first out, also when long`() {
        var queue = RetryQueue()
        var taken: [Int] = []
        for index in 0..<5000 {
            queue.append(ReadyRetry(index: index, failedAttempts: 1))
            if index % 3 == 2, let first = queue.first {
                taken.append(first.index)
                queue.takeFirst(1)
            }
        }
        while let first = queue.first {
            taken.append(first.index)
            queue.takeFirst(1)
        }
        #expect(taken == Array(0..<5000))
        #expect(queue.isEmpty && queue.count == 0)
    }

    @Test func `neighbours on the same try`() {
        var queue = RetryQueue()
        for (index, failed) in [(4, 1), (5, 1), (6, 2), (7, 2), (9, 2)] {
            queue.append(ReadyRetry(index: index, failedAttempts: failed))
        }
        #expect(queue.consecutive(atMost: 10) == 2)
        #expect(queue.consecutive(atMost: 1) == 1)
        queue.takeFirst(2)
        #expect(queue.consecutive(atMost: 10) == 2)
        queue.takeFirst(3)
        #expect(queue.consecutive(atMost: 10) == 0)
    }
}

struct IndexLinksTests {
    @Test func `leaves from anywhere`() {
        var links = IndexLinks()
        var list = IndexList()
        for place in [3, 0, 7, 5] { links.append(place, to: &list) }
        links.remove(0, from: &list)
        #expect(contents(list, links) == [3, 7, 5])
        links.remove(3, from: &list)
        links.remove(5, from: &list)
        #expect(contents(list, links) == [7])
        links.append(3, to: &list)
        #expect(contents(list, links) == [7, 3])
        links.remove(7, from: &list)
        links.remove(3, from: &list)
        #expect(list.isEmpty && list.first == nil && list.last == nil)
    }

    private func contents(_ list: IndexList, _ links: IndexLinks) -> [Int] {
        var places: [Int] = []
        var place = list.first
        while let current = place {
            places.append(current)
            place = links.next(after: current)
        }
        #expect(places.count == list.count && places.last == list.last)
        return places
    }
}
