import Platform
import Synchronization
import Testing

@Suite struct TaskThreadsTests {
    @Test func `one thread keeps the order`() throws {
        let threads = TaskThreads(name: "one", count: 1)
        try threads.start()
        let seen = Mutex<[Int]>([])
        for number in 0..<5_000 { threads.submit { seen.withLock { $0.append(number) } } }
        threads.stop()
        #expect(seen.withLock { $0 } == Array(0..<5_000))
    }

    @Test func `tasks run at the same time`() throws {
        let threads = TaskThreads(name: "four", count: 4)
        try threads.start()
        let arrived = Monitor(0)
        for _ in 0..<4 {
            threads.submit {
                arrived.withLock { $0 += 1 }
                arrived.notifyAll()
                arrived.wait { $0 == 4 ? .done(()) : .sleep(until: nil) }
            }
        }
        threads.stop()
        #expect(arrived.withLock { $0 } == 4)
    }

    @Test func `what was submitted before the start runs`() throws {
        let threads = TaskThreads(name: "early", count: 2)
        let ran = Mutex(false)
        threads.submit { ran.withLock { $0 = true } }
        try threads.start()
        threads.stop()
        #expect(ran.withLock { $0 })
    }

    @Test func `after the stop a task is released and not run`() throws {
        final class Resource: Sendable {}
        let threads = TaskThreads(name: "late", count: 1)
        try threads.start()
        threads.stop()
        threads.stop()
        var resource: Resource? = Resource()
        weak let watched = resource
        let ran = Mutex(false)
        threads.submit { [resource] in
            _ = resource
            ran.withLock { $0 = true }
        }
        resource = nil
        #expect(watched == nil)
        #expect(!ran.withLock { $0 })
    }
}
