import JobStore
import Testing

@testable import Scheduling

struct BatchInputsTests {
    private func segment(_ range: Range<Int>) -> Segment {
        Segment(first: range.lowerBound, count: range.count, input: BatchMaker.payload(range))
    }

    private func text(_ taken: TakenInput?) -> String? { taken.map { String(decoding: $0.bytes, as: UTF8.self) } }

    @Test func `a segment piece by piece`() {
        var inputs = BatchInputs()
        var taken: String?
        inputs.setAhead([segment(0..<5), segment(5..<7)])
        taken = text(inputs.take(from: 0, atMost: 2))
        #expect(taken == "0, 1")
        taken = text(inputs.take(from: 2, atMost: 9))
        #expect(taken == "2, 3, 4")
        taken = text(inputs.take(from: 5, atMost: 9))
        #expect(taken == "5, 6")
        taken = text(inputs.take(from: 7, atMost: 1))
        #expect(taken == nil)
        #expect(inputs.bytes == 0)
    }

    @Test func `jobs in between may be skipped, and come again`() {
        var inputs = BatchInputs()
        var taken: String?
        inputs.setAhead([segment(10..<20)])
        taken = text(inputs.take(from: 13, atMost: 2))
        #expect(taken == "13, 14")
        taken = text(inputs.take(from: 11, atMost: 1))
        #expect(taken == "11")
        taken = text(inputs.take(from: 12, atMost: 1))
        #expect(taken == "12")
        taken = text(inputs.take(from: 19, atMost: 1))
        #expect(taken == "19")
        #expect(inputs.bytes == 0)
    }

    @Test func `a whole segment is not copied`() {
        var inputs = BatchInputs()
        let whole = segment(0..<100)
        inputs.setAhead([whole])
        let taken = inputs.take(from: 0, atMost: 100)
        let isSame = whole.input.withUnsafeBytes { before in
            taken?.bytes.withUnsafeBytes { $0.baseAddress == before.baseAddress }
        }
        #expect(isSame == true)
    }

    @Test func `retried jobs do not drive out what was read ahead`() {
        var inputs = BatchInputs()
        var taken: String?
        inputs.setAhead([segment(50..<60)])
        taken = text(inputs.takeAside(from: 3, atMost: 1))
        #expect(taken == nil)
        inputs.setAside(segment(0..<5))
        taken = text(inputs.takeAside(from: 3, atMost: 1))
        #expect(taken == "3")
        taken = text(inputs.takeAside(from: 4, atMost: 1))
        #expect(taken == "4")
        taken = text(inputs.takeAside(from: 0, atMost: 9))
        #expect(taken == "0, 1, 2, 3, 4")
        taken = text(inputs.takeAside(from: 1, atMost: 1))
        #expect(taken == "1")
        taken = text(inputs.take(from: 50, atMost: 1))
        #expect(taken == "50")
    }
}
