import Platform
import Testing

@Suite struct MonitorTests {
    @Test func `a waiter sees what another thread changed`() throws {
        let monitor = Monitor(0)
        let thread = try OwnedThread(name: "changer") {
            for _ in 0..<1000 {
                monitor.withLock { $0 += 1 }
                monitor.notify()
            }
        }
        let seen = monitor.wait { state in state == 1000 ? .done(state) : .sleep(until: nil) }
        thread.join()
        thread.join()
        #expect(seen == 1000)
    }

    @Test func `a deadline ends the sleep`() {
        let monitor = Monitor(())
        let deadline = MonotonicTime.now() + .milliseconds(20)
        let woken = monitor.wait { _ in
            MonotonicTime.now() >= deadline ? .done(MonotonicTime.now()) : .sleep(until: deadline)
        }
        #expect(woken >= deadline)
    }
}
