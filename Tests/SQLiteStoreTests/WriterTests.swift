import GRDB
import JobModel
import JobStore
import Platform
import StoreConformance
import Synchronization
import Testing

@testable import SQLiteStore

@Suite struct WriterTests {
    private func batch(_ number: Int, bytes: Int = 1) -> NewBatch {
        let segment = Segment(first: 0, count: 1, input: [UInt8](repeating: UInt8(ascii: "1"), count: bytes))
        return NewBatch(
            id: BatchID(ULID(high: 1, low: UInt64(number))), handler: "h", options: BatchOptions(),
            createdAt: Timestamp(microseconds: 0), segments: [segment])
    }

    /// Counts the calls and what each of them told, and notes that it was called.
    private final class CommitLog: StoreObserver {
        let commits = Mutex<[Int]>([])
        let order: OrderLog
        init(_ order: OrderLog) { self.order = order }
        func storeDidCommit(_ changes: [StoreChange]) {
            commits.withLock { $0.append(changes.count) }
            order.append(-1)
        }
    }

    private final class OrderLog: Sendable {
        private let entries = Mutex<[Int]>([])
        func append(_ entry: Int) { entries.withLock { $0.append(entry) } }
        var all: [Int] { entries.withLock { $0 } }
    }

    @Test func whatWaitsSharesACommitAndObserversComeBeforeCompletions() throws {
        let fixture = try SQLiteFixture()
        let order = OrderLog()
        let log = CommitLog(order)
        fixture.sqlite.addObserver(log)
        // The first completion holds the writer until the others wait.
        let gate = Monitor(false)
        let isHeld = Awaited<Void>()
        let answers = (0..<100).map { _ in Awaited<BatchRecord>() }
        let first = Awaited<BatchRecord>()
        fixture.store.submit(batch(1000)) { result in
            isHeld.completion(.success(()))
            gate.wait { isOpen in isOpen ? .done(()) : .sleep(until: nil) }
            first.completion(result)
        }
        try isHeld.get()
        for (number, answer) in answers.enumerated() {
            fixture.store.submit(batch(number)) { result in
                order.append(number)
                answer.completion(result)
            }
        }
        gate.withLock { $0 = true }
        gate.notifyAll()
        _ = try first.get()
        for answer in answers { _ = try answer.get() }
        #expect(log.commits.withLock { $0 } == [1, 100])
        #expect(order.all == [-1, -1] + Array(0..<100))
    }

    @Test func closingWritesWhatWaitsAndThenRefusesEverything() throws {
        let fixture = try SQLiteFixture()
        let answers = (0..<200).map { number in
            let answer = Awaited<BatchRecord>()
            fixture.store.submit(batch(number), completion: answer.completion)
            return answer
        }
        try fixture.close()
        for answer in answers { _ = try answer.get() }

        #expect(throws: StoreError.closed) { try fixture.submit(batch(500)) }
        #expect(throws: StoreError.closed) { try fixture.requestCancel(batch(1).id) }
        #expect(throws: StoreError.closed) { try fixture.record() }
        #expect(throws: StoreError.closed) {
            try fixture.cancelPending(batch(1).id, at: Timestamp(microseconds: 0))
        }
        #expect(throws: StoreError.closed) { try fixture.store.batch(batch(1).id) }
        #expect(throws: StoreError.closed) { try fixture.store.nextDeliveryTime(after: Timestamp(microseconds: 0)) }

        try fixture.reopen()
        #expect(try fixture.store.batches(BatchFilter(), before: nil, limit: 300).batches.count == 200)
    }

    @Test func aDamagedDatabaseBreaksTheStoreOnceAndForAll() throws {
        let counter = Counter()
        let fixture = try SQLiteFixture { $0.onBroken = { _ in counter.add() } }
        try fixture.submit(batch(1))
        try fixture.reopen()
        // Everything but the first page, of tables that the store has not looked at since it was opened.
        try fixture.damagePages(of: "results")
        let recording = Recording(
            batch: batch(1).id, runs: [OutcomeRun(first: 0, count: 1, outcome: .succeeded, body: [49])],
            recordedAt: Timestamp(microseconds: 1))
        for _ in 0..<2 {
            #expect {
                try fixture.record(recording)
            } throws: { error in
                if case StoreError.broken? = error as? StoreError { true } else { false }
            }
        }
        #expect(throws: StoreError.self) { try fixture.submit(batch(2)) }
        #expect(counter.count == 1)
        #expect(fixture.log.finished.isEmpty)
    }

    private final class Counter: Sendable {
        private let value = Mutex(0)
        func add() { value.withLock { $0 += 1 } }
        var count: Int { value.withLock { $0 } }
    }

    @Test func commitsAreBoundedByOperationsAndBytes() {
        func operations(_ sizes: [Int]) -> [WriteOperation] {
            sizes.enumerated().map { .submit(batch($0.offset, bytes: $0.element)) { _ in } }
        }
        #expect(Writer.groups(of: operations([1])) == [0..<1])
        #expect(
            Writer.groups(of: operations(Array(repeating: 1, count: 4100))) == [0..<2000, 2000..<4000, 4000..<4100])
        let large = 5 << 20
        #expect(Writer.groups(of: operations([large, large, 1, 1, 9 << 20, 1])) == [0..<1, 1..<4, 4..<5, 5..<6])
    }

    @Test func theLogIsMovedWhileTheStoreIsUsed() throws {
        let fixture = try SQLiteFixture()
        // 96 MiB in all, six times what is let grow.
        for number in 0..<24 { try fixture.submit(batch(number, bytes: 4 << 20)) }
        let log = try TestFile.read(fixture.folder.path + "/jobmill.sqlite-wal").count
        #expect(log < 40 << 20)
    }

    @Test func aBatchThatTheWriterHasForgottenIsReadAgain() throws {
        var active = ActiveBatches(generationSize: 2)
        func entry(_ number: Int) -> ActiveBatch {
            let new = batch(number)
            let record = BatchRecord(
                id: new.id, handler: "h", options: BatchOptions(), total: 1, createdAt: new.createdAt)
            let block = BlockCount(BlockCount.Key(lane: WorkLane(priority: 0), block: 0), unfinished: 1)
            return ActiveBatch(BatchRow(base: number, record: record), frontier: 0, block: block)
        }
        for number in 0..<4 { active.insert(entry(number)) }
        // Two generations of two: using the oldest makes it young, and the other old one is forgotten first.
        func find(_ number: Int) -> Int? { active.find(batch(number).id)?.base }
        let oldest = find(0)
        #expect(oldest == 0)
        active.insert(entry(4))
        let (kept, forgotten) = (find(0), find(1))
        #expect(kept == 0)
        #expect(forgotten == nil)
        active.remove(batch(0).id)
        let (removed, other) = (find(0), find(4))
        #expect(removed == nil)
        #expect(other == 4)
        active.removeAll()
        let none = find(4)
        #expect(none == nil)
    }
}

@Suite struct RangeListTests {
    @Test(arguments: [
        ([] as [Range<Int>], [0..<10]),
        ([0..<10], []),
        ([-5..<20], []),
        ([0..<1, 9..<10], [1..<9]),
        ([3..<5], [0..<3, 5..<10]),
        ([3..<5, 5..<6, 4..<8], [0..<3, 8..<10]),
        ([1..<2, 10..<12], [0..<1, 2..<10]),
        ([-3..<0, 4..<5], [0..<4, 5..<10]),
    ])
    func holesAreTakenOut(holes: [Range<Int>], rest: [Range<Int>]) {
        #expect(RangeList.subtracting(holes, from: 0..<10) == rest)
    }
}
