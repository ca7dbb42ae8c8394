import JobModel
import Testing

@Suite struct TimestampTests {
    /// Seconds as printed by `date -u -d … +%s`.
    @Test(arguments: [
        (0 as Int64, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.000Z"),
        (1_500, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-1_000_000, "1969-12-31T23:59:59.000Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000_000, "2000-03-01T00:00:00.000Z"),
        (1_709_164_800_000_000, "2024-02-29T00:00:00.000Z"),
        (1_735_689_599_999_999, "2024-12-31T23:59:59.999Z"),
        (4_107_542_399_000_000, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"),
        (-2_203_891_200_000_000, "1900-03-01T00:00:00.000Z"),
        (-2_203_891_201_000_000, "1900-02-28T23:59:59.000Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000Z"),
        (253_402_300_799_999_000, "9999-12-31T23:59:59.999Z"),
        (1_769_847_300_125_000, "2026-01-31T08:15:00.125Z"),
    ])
    func isWrittenAsRFC3339(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
    }

    @Test func advancesAndSaturates() {
        let start = Timestamp(microseconds: 1_000_000)
        #expect(start.advanced(bySeconds: 1.5) == Timestamp(microseconds: 2_500_000))
        #expect(start.advanced(bySeconds: -2) == Timestamp(microseconds: -1_000_000))
        #expect(start.advanced(bySeconds: 1e300) == Timestamp(microseconds: .max))
        #expect(start.advanced(bySeconds: -1e300).microseconds < -9_000_000_000_000_000_000)
        #expect(Timestamp(microseconds: .max).advanced(bySeconds: 1) == Timestamp(microseconds: .max))
        #expect(Timestamp(microseconds: .min).advanced(bySeconds: -1) == Timestamp(microseconds: .min))
        #expect(start.advanced(bySeconds: 2).seconds(since: start) == 2)
        #expect(start < start.advanced(bySeconds: 0.000_001))
    }
}
