import JobModel
import Testing

@Suite struct OutcomeTests {
    @Test(arguments: Outcome.allCases)
    func eachOutcomeHasItsOwnCounter(outcome: Outcome) {
        var counts = OutcomeCounts()
        counts[outcome] += 5
        #expect(counts[outcome] == 5)
        #expect(counts.finished == 5)
        #expect(Outcome.allCases.filter { counts[$0] == 0 }.count == Outcome.allCases.count - 1)
    }

    @Test func finalStatusesAreThoseWithEveryOutcome() {
        #expect(BatchStatus.allCases.filter(\.isFinal) == [.completed, .cancelled, .expired])
    }
}
