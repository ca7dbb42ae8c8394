import JobModel
import Testing

@Suite struct ULIDTests {
    /// From the specification's README: the time 1469918176385 is written 01ARYZ6S41.
    @Test func theTimeIsWrittenAsTheSpecificationSays() {
        let ulid = ULID(high: 1_469_918_176_385 << 16, low: 0)
        #expect(ulid.description == "01ARYZ6S410000000000000000")
        #expect(ULID("01ARYZ6S410000000000000000") == ulid)
        #expect(ulid.milliseconds == 1_469_918_176_385)
    }

    @Test(arguments: [
        (UInt64.min, UInt64.min, "00000000000000000000000000"),
        (UInt64.max, UInt64.max, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"),
        (0, 1, "00000000000000000000000001"),
        (1, 0, "0000000000000G000000000000"),
        (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, "014D2PF2DBSQQZXQ5TK1V58CGG"),
    ])
    func textAndBitsCorrespond(high: UInt64, low: UInt64, text: String) {
        #expect(ULID(high: high, low: low).description == text)
        #expect(ULID(text) == ULID(high: high, low: low))
        #expect(ULID(text.lowercased()) == ULID(high: high, low: low))
    }

    @Test(arguments: [
        "", "0", "0000000000000000000000000", "000000000000000000000000000", "80000000000000000000000000",
        "0000000000000000000000000I", "0000000000000000000000000L", "0000000000000000000000000O",
        "0000000000000000000000000U", "0000000000000000000000000-", "000000000000000000000000 0",
        "000000000000000000000000é", " 0000000000000000000000000",
    ])
    func whatIsNoULIDIsRefused(text: String) {
        #expect(ULID(text) == nil)
    }

    @Test func theOrderOfTextsIsTheOrderOfValues() {
        var random = SystemRandomNumberGenerator()
        let ulids = (0..<200).map { _ in ULID(high: random.next() >> 60, low: random.next()) }
        #expect(ulids.sorted().map(\.description) == ulids.map(\.description).sorted())
    }
}

@Suite struct ULIDGeneratorTests {
    /// Always the same number: makes the edges reachable.
    private struct Constant: RandomNumberGenerator {
        let value: UInt64
        mutating func next() -> UInt64 { value }
    }

    @Test func risesWithinAMillisecondAndWhenTheClockStepsBack() {
        var generator = ULIDGenerator()
        var random = SystemRandomNumberGenerator()
        let times: [UInt64] = [1000, 1000, 1000, 1001, 999, 500, 1001, 1002]
        let ulids = times.map { generator.next(milliseconds: $0, using: &random) }
        for (earlier, later) in zip(ulids, ulids.dropFirst()) { #expect(earlier < later) }
        #expect(ulids.map(\.milliseconds) == [1000, 1000, 1000, 1001, 1001, 1001, 1001, 1002])
    }

    @Test func carriesIntoTheHighHalf() {
        var generator = ULIDGenerator()
        var random = Constant(value: .max)
        let first = generator.next(milliseconds: 5, using: &random)
        let second = generator.next(milliseconds: 5, using: &random)
        #expect(first.low == .max)
        #expect(second.low == 0)
        #expect(second.high == first.high + 1)
    }

    @Test func differsBetweenGenerators() {
        var random = SystemRandomNumberGenerator()
        var left = ULIDGenerator()
        var right = ULIDGenerator()
        #expect(left.next(milliseconds: 9, using: &random) != right.next(milliseconds: 9, using: &random))
    }
}
