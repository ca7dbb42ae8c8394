import GRDB
import JobStore
import Platform

/// The one thread that writes. It sleeps while nothing waits; what arrives while a commit is on its way shares the next one.
enum Writer {
    /// Limits of one commit.
    private static let maximumOperations = 2000
    private static let maximumBytes = 8 << 20

    /// Runs until the inbox is closed and empty.
    static func run(
        _ queue: DatabaseQueue, inbox: WriteInbox, onBroken: @Sendable (StoreError) -> Void,
        makeCommitter: (Database) throws -> GroupCommitter
    ) {
        do {
            try queue.writeWithoutTransaction { db in
                var committer = try makeCommitter(db)
                var operations = inbox.takeAll(reusing: [])
                while !operations.isEmpty {
                    for group in groups(of: operations) { committer.process(operations[group]) }
                    operations.removeAll(keepingCapacity: operations.count <= maximumOperations)
                    operations = inbox.takeAll(reusing: operations)
                }
            }
        } catch {
            let error = StoreError(error)
            onBroken(error)
            refuseAll(inbox, error)
        }
    }

    /// Cuts what waits into groups that one commit each can take.
    static func groups(of operations: [WriteOperation]) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var start = 0
        var bytes = 0
        for index in operations.indices {
            let size = operations[index].byteCount
            if index > start && (index - start >= maximumOperations || bytes + size > maximumBytes) {
                groups.append(start..<index)
                start = index
                bytes = 0
            }
            bytes += size
        }
        groups.append(start..<operations.count)
        return groups
    }

    private static func refuseAll(_ inbox: WriteInbox, _ error: StoreError) {
        var operations = inbox.takeAll(reusing: [])
        while !operations.isEmpty {
            for operation in operations { operation.refuse(error) }
            operations = inbox.takeAll(reusing: [])
        }
    }
}
