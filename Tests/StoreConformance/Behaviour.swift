import JobStore

/// One thing that every store must do.
package struct Behaviour: Sendable, CustomStringConvertible {
    package let description: String
    private let check: @Sendable (any StoreFixture) throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (any StoreFixture) throws -> Void) {
        self.description = description
        self.check = check
    }

    /// - Throws: `Violation`, or what the store threw where it should not.
    package func verify(with fixture: any StoreFixture) throws { try check(fixture) }

    package static let all: [Behaviour] =
        submitting + recording + recordingManyWays + attempts + cancelling + unfinished + results + bySize + lists
        + deliveries + sharedValues + counters + logs + manyBatches + queues
}

/// What a store did wrong.
package struct Violation: Error, CustomStringConvertible {
    package let what: String
    package let line: Int

    package var description: String { "\(what) (line \(line))" }
}

func expect(_ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line) throws {
    if !condition { throw Violation(what: what(), line: line) }
}

func expectEqual<Value: Equatable>(_ actual: Value, _ expected: Value, line: Int = #line) throws {
    if actual != expected { throw Violation(what: "\(actual) instead of \(expected)", line: line) }
}

func unwrap<Value>(_ value: Value?, line: Int = #line) throws -> Value {
    guard let value else { throw Violation(what: "nothing instead of something", line: line) }
    return value
}

func expectConflict(line: Int = #line, _ body: () throws -> Void) throws {
    do {
        try body()
    } catch StoreError.conflict {
        return
    }
    throw Violation(what: "no conflict", line: line)
}
