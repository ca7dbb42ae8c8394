import Testing

@testable import Jobmill

@Suite struct ProgressLineTests {
    private func counts(total: Int, succeeded: Int = 0, failed: Int = 0, running: Int = 0) -> BatchView.Counts {
        BatchView.Counts(
            total: total, pending: total - succeeded - failed - running, running: running, succeeded: succeeded,
            failed: failed)
    }

    @Test func showsWhatIsDoneAndWhatIsLeft() {
        let line = ProgressLine(finishedBefore: 0)
        #expect(
            line.text(counts(total: 24, succeeded: 11, failed: 1, running: 2), elapsed: 4, width: 100)
                == "[############............]  50 %  12 of 24, 1 failed, 2 running, 3.0/s, 4 s left")
        #expect(
            line.text(counts(total: 24), elapsed: 0, width: 100) == "[........................]   0 %  0 of 24")
        #expect(
            line.text(counts(total: 24, succeeded: 24), elapsed: 2, width: 100)
                == "[########################] 100 %  24 of 24, 12/s")
    }

    @Test func isFullOnlyAtTheEnd() {
        let line = ProgressLine(finishedBefore: 0)
        let text = line.text(counts(total: 1000, succeeded: 999), elapsed: 0, width: 100)
        #expect(text == "[#######################.]  99 %  999 of 1000")
    }

    @Test func speedCountsOnlyWhatWasSeen() {
        let line = ProgressLine(finishedBefore: 500)
        let text = line.text(counts(total: 1000, succeeded: 510), elapsed: 10, width: 100)
        #expect(text.hasSuffix("510 of 1000, 1.0/s, 8 min 10 s left"))
        #expect(!line.text(counts(total: 1000, succeeded: 500), elapsed: 10, width: 100).contains("/s"))
    }

    @Test(arguments: [0, 1, 20, 40])
    func neverWraps(width: Int) {
        let text = ProgressLine(finishedBefore: 0)
            .text(counts(total: 1_000_000, succeeded: 5), elapsed: 9, width: width)
        #expect(text.count == max(0, width - 1))
    }

    @Test(arguments: [
        (0.2, "1 s"), (59, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min"),
        (90_061, "25 h 1 min"),
    ])
    func durationsAreShort(seconds: Double, text: String) { #expect(ProgressLine.duration(seconds) == text) }
}
