import JobStore
import Testing

struct SegmentTests {
    @Test func theFirstOnesUpToAWeight() {
        let segments = (0..<5).map { Segment(first: $0 * 10, count: 10, input: Array(repeating: 0x31, count: 36)) }
        #expect(segments.allSatisfy { $0.weight == 100 })
        for (limit, count) in [(-1, 0), (0, 0), (99, 0), (100, 1), (250, 2), (499, 4), (500, 5), (.max, 5)] {
            #expect(segments.first(weighing: limit) == Array(segments.prefix(count)))
        }
        // None is left out for a smaller one behind it.
        let large = Segment(first: 50, count: 1, input: Array(repeating: 0x31, count: 1000))
        let small = Segment(first: 51, count: 1, input: [0x31])
        #expect((segments + [large, small]).first(weighing: 800) == segments)
    }
}
