import JobModel
import Testing

struct QueuesTests {
    @Test(arguments: ["a", "A-b_c.9", "_", "-", String(repeating: "x", count: 64)])
    func names(name: String) {
        #expect(NameRule.allows(name))
    }

    @Test(arguments: ["", ".", "..", ".a", "a b", "a/b", "ä", "a\n", "a\0", String(repeating: "x", count: 65)])
    func whatIsNoName(name: String) {
        #expect(!NameRule.allows(name))
    }

    @Test func aChangeLeavesWhatItDoesNotName() {
        let settings = QueueSettings(priority: 3, concurrency: 2, isPaused: true)
        #expect(QueueChange().applied(to: settings) == settings)
        #expect(QueueChange(priority: 0).applied(to: settings) == QueueSettings(concurrency: 2, isPaused: true))
        #expect(
            QueueChange(concurrency: .unlimited).applied(to: settings) == QueueSettings(priority: 3, isPaused: true))
        #expect(
            QueueChange(concurrency: .atMost(9), isPaused: false).applied(to: settings)
                == QueueSettings(priority: 3, concurrency: 9))
    }

    @Test func aChangeSaysWhatItIs() {
        #expect(QueueChange().description == "stays as it is")
        #expect(
            QueueChange(priority: -1, concurrency: .unlimited, isPaused: false).description
                == "priority: -1, concurrency: unlimited, paused: false")
    }
}
