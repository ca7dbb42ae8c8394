import JobModel
import JobStore
import Logging
import Synchronization
import Testing

@testable import Jobmill

@Suite struct QueueRulesTests {
    /// Has room for so many changes.
    private final class Shelf: QueueKeeping {
        private let state: Mutex<(room: Int, stored: [String])>

        init(room: Int) { state = Mutex((room, [])) }

        func changeQueue(_ name: String, _ change: QueueChange, completion: @escaping StoreCompletion<QueueRecord>) {
            let isStored = state.withLock { state in
                guard state.room > 0 else { return false }
                state.room -= 1
                state.stored.append(name)
                return true
            }
            completion(isStored ? .success(QueueRecord(name: name)) : .failure(.full("no room")))
        }

        func makeRoom() { state.withLock { $0.room = 100 } }
        func takeStored() -> [String] {
            state.withLock { state in
                defer { state.stored = [] }
                return state.stored
            }
        }

        func queue(_ name: String) throws(StoreError) -> QueueOverview { throw .closed }
        func queues(after: String?, limit: Int) throws(StoreError) -> [QueueOverview] { throw .closed }
    }

    private func rule(_ name: String, priority: Int = 1) -> QueueRule {
        QueueRule(name: name, change: QueueChange(priority: priority))
    }

    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func `what could not be stored is not in force, and is stored the next time`() throws {
        let shelf = Shelf(room: 1)
        let rules = [rule("a"), rule("b"), rule("c")]
        let first = try QueueRules.apply(rules, to: shelf, logger: logger)
        #expect(first == [rule("a")])
        #expect(try QueueRules.apply(rules, over: first, to: shelf, logger: logger) == first)
        #expect(shelf.takeStored() == ["a"])
        shelf.makeRoom()
        let all = try QueueRules.apply(rules, over: first, to: shelf, logger: logger)
        #expect(Set(all) == Set(rules))
        #expect(shelf.takeStored() == ["b", "c"], "a may have been changed meanwhile")
    }

    @Test func `only what is new or different is stored`() throws {
        let shelf = Shelf(room: 100)
        let known = [rule("a"), rule("b"), rule("gone")]
        let new = [rule("a"), rule("b", priority: 2), rule("c")]
        #expect(try QueueRules.apply(new, over: known, to: shelf, logger: logger) == new)
        #expect(shelf.takeStored() == ["b", "c"])
    }

    @Test func `a store that fails otherwise is an error`() {
        #expect(throws: StoreError.self) { try QueueRules.apply([rule("a")], to: ClosedShelf(), logger: logger) }
    }

    private struct ClosedShelf: QueueKeeping {
        func changeQueue(_ name: String, _ change: QueueChange, completion: @escaping StoreCompletion<QueueRecord>) {
            completion(.failure(.closed))
        }
        func queue(_ name: String) throws(StoreError) -> QueueOverview { throw .closed }
        func queues(after: String?, limit: Int) throws(StoreError) -> [QueueOverview] { throw .closed }
    }
}
