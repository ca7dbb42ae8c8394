import JobModel
import Testing

@testable import Jobmill

@Suite struct QueueRuleTests {
    private func settings(_ text: String) throws -> Settings { try Settings(yaml: text, file: "jobmill.yaml") }

    @Test func whatIsSaidIsRead() throws {
        let queues = try settings(
            """
            queues:
              mail: {concurrency: 4, priority: -10, paused: true}
              free: {concurrency: unlimited}
              awake: {paused: false}
            """
        ).queues
        #expect(
            queues == [
                QueueRule(
                    name: "mail", change: QueueChange(priority: -10, concurrency: .atMost(4), isPaused: true)),
                QueueRule(name: "free", change: QueueChange(concurrency: .unlimited)),
                QueueRule(name: "awake", change: QueueChange(isPaused: false)),
            ])
        #expect(queues.map(\.change.description)[0] == "priority: -10, concurrency: 4, paused: true")
        #expect(queues.map(\.change.description)[1] == "concurrency: unlimited")
    }

    @Test func theyReachTheService() throws {
        let file = try settings("queues: {mail: {paused: true}}\nhandlers: {echo2: {exec: cat, queue: mail}}\n")
        let service = try ServiceConfiguration(
            Settings().over(file), catalog: HandlerCatalog(own: [], demo: []), token: nil)
        #expect(service.queues == [QueueRule(name: "mail", change: QueueChange(isPaused: true))])
        #expect(service.handlers.first?.queue == "mail")
    }

    @Test(arguments: [
        ("queues: {mail: {concurrency: 0}}", "queues.mail.concurrency"),
        (
            "queues: {mail: {concurrency: many}}",
            "queues.mail.concurrency: must be a whole number from 1 to 1024, or unlimited"
        ),
        ("queues: {mail: {concurrency: }}", "queues.mail.concurrency"),
        ("queues: {mail: {priority: 101}}", "queues.mail.priority"),
        ("queues: {mail: {paused: maybe}}", "queues.mail.paused"),
        ("queues: {mail: {pause: true}}", "queues.mail.pause"),
        ("queues: {a b: {paused: true}}", "cannot be a name"),
        ("queues: [mail]", "queues"),
        ("handlers: {cat: {exec: cat, queue: a b}}", "handlers.cat.queue"),
    ])
    func whatIsWrongIsTold(text: String, part: String) throws {
        do throws(ConfigurationError) {
            _ = try Settings(yaml: text, file: "jobmill.yaml")
            Issue.record("it was taken")
        } catch {
            #expect(error.problems.count == 1)
            #expect(error.problems.allSatisfy { $0.description.contains(part) }, "\(error.problems)")
        }
    }
}
