import ArgumentParser
import JSONBytes
import JobModel
import Testing

@testable import Jobmill

@Suite struct QueuesCommandTests {
    private func json(_ text: String) throws -> JSON { try JSON(validating: Array(text.utf8)) }

    @Test func queuesStandInColumns() throws {
        let page = try json(
            #"{"queues":[{"name":"default","priority":0,"concurrency":null,"paused":false,"#
                + #""counts":{"batches":0,"jobs":0,"running":0,"more":false}},"#
                + #"{"name":"mail","priority":-10,"concurrency":4,"paused":true,"#
                + #""counts":{"batches":5000,"jobs":90000,"running":4,"more":true}}],"next_cursor":null}"#)
        let rows = try #require(QueueView.rows(page.value))
        #expect(
            QueueView.table(rows) == [
                "QUEUE    STATE   PRIORITY  CONCURRENCY  BATCHES  JOBS    RUNNING",
                "default  open    0         unlimited    0        0       0",
                "mail     paused  -10       4            5000+    90000+  4",
            ])
        #expect(QueueView.rows(JSON.null.value) == nil)
        #expect(QueueView.row(JSON.null.value) == nil)
    }

    @Test func aChangeSaysOnlyWhatItChanges() throws {
        func body(_ arguments: String...) throws -> String {
            let command = try QueuesSetCommand.parse(["mail"] + arguments)
            return String(decoding: QueueArgument.body(try command.change()), as: UTF8.self)
        }
        #expect(try body("--concurrency", "4", "--priority", "-3") == #"{"concurrency":4,"priority":-3}"#)
        #expect(try body("--concurrency", "unlimited") == #"{"concurrency":null}"#)
        #expect(
            String(decoding: QueueArgument.body(QueueChange(isPaused: true)), as: UTF8.self) == #"{"paused":true}"#)
        #expect(throws: (any Error).self) { try body() }
        #expect(throws: (any Error).self) { try body("--concurrency", "some") }
    }

    @Test func theListNeedsNoName() throws {
        #expect(try RootCommand.parseAsRoot(["queues"]) is QueuesListCommand)
        #expect(try RootCommand.parseAsRoot(["queues", "--json"]) is QueuesListCommand)
        #expect(try RootCommand.parseAsRoot(["queues", "pause", "mail"]) is QueuesPauseCommand)
    }
}
