import Testing

@testable import Jobmill

@Suite struct MeasureTests {
    @Test(arguments: [
        ("0", 0), ("65536", 65_536), ("64K", 65_536), ("64 KiB", 65_536), ("1.5MiB", 1_572_864), ("2gib", 2 << 30),
        ("10MB", 10_000_000), ("1TiB", 1 << 40), ("2tb", 2_000_000_000_000), ("7b", 7), ("-1", -1),
    ])
    func readsSizes(text: String, bytes: Int) { #expect(Measure.bytes(text) == bytes) }

    @Test(arguments: ["", "K", "many", "1.5", "1PiB", "1e99", "1 2", "nan", "0x10"])
    func refusesWhatIsNoSize(text: String) { #expect(Measure.bytes(text) == nil) }

    @Test(arguments: [
        ("30", 30.0), ("500ms", 0.5), ("2m", 120), ("2min", 120), ("1.5 h", 5400), ("1d", 86_400), ("7s", 7),
    ])
    func readsDurations(text: String, seconds: Double) { #expect(Measure.seconds(text) == seconds) }

    @Test(arguments: ["", "s", "soon", "1w", "1:30", "inf"])
    func refusesWhatIsNoDuration(text: String) { #expect(Measure.seconds(text) == nil) }
}
