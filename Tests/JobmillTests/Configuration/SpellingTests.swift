import Testing

@testable import Jobmill

@Suite struct SpellingTests {
    @Test(arguments: [("timeuot", "timeout"), ("handler", "handlers"), ("lisen", "listen"), ("Workers", "workers")])
    func findsWhatWasMeant(word: String, meant: String) {
        #expect(Spelling.nearest(to: word, among: ["listen", "timeout", "workers", "handlers"]) == meant)
    }

    @Test(arguments: ["", "x", "banana", "time"])
    func doesNotGuessWildly(word: String) {
        #expect(Spelling.nearest(to: word, among: ["listen", "timeout", "workers", "cpu"]) == nil)
    }

    @Test func countsChanges() {
        #expect(Spelling.distance("", "") == 0)
        #expect(Spelling.distance("kitten", "sitting") == 3)
        #expect(Spelling.distance("abc", "") == 3)
    }
}
