/// A fixed number of threads that run short, blocking tasks in the order of their submission, such as reads of the store.
package final class TaskThreads: Service {
    package let name: String
    private let count: Int
    private let queue = Monitor(Queue())

    private enum Phase { case idle, running, stopped }

    private struct Queue {
        var phase = Phase.idle
        var threads: [OwnedThread] = []
        /// Tasks before `head` have been handed out; they are cut off when they are the greater part.
        var tasks: [(@Sendable () -> Void)?] = []
        var head = 0

        mutating func next() -> (@Sendable () -> Void)? {
            guard head < tasks.count else { return nil }
            let task = tasks[head]
            tasks[head] = nil
            head += 1
            if head == tasks.count {
                tasks.removeAll(keepingCapacity: head <= 1024)
                head = 0
            } else if head >= 1024, head * 2 > tasks.count {
                tasks.removeFirst(head)
                head = 0
            }
            return task
        }
    }

    /// - Parameter name: of the threads too.
    /// - Parameter count: of threads, at least 1.
    package init(name: String, count: Int) {
        precondition(count >= 1, "tasks need a thread")
        self.name = name
        self.count = count
    }

    /// Starts the threads. A pool that was stopped does not start again.
    package func start() throws {
        precondition(queue.withLock { $0.phase } == .idle, "task threads are started once")
        do {
            for _ in 0..<count {
                let thread = try OwnedThread(name: name) { [queue] in Self.work(queue) }
                queue.withLock { $0.threads.append(thread) }
            }
        } catch {
            stop()
            throw error
        }
        queue.withLock { if $0.phase == .idle { $0.phase = .running } }
    }

    /// Queues `work` behind what is there already. After `stop` it is dropped, and what it holds is released.
    package func submit(_ work: @escaping @Sendable () -> Void) {
        let isQueued = queue.withLock { queue in
            guard queue.phase != .stopped else { return false }
            queue.tasks.append(work)
            return true
        }
        if isQueued { queue.notify() }
    }

    /// Finishes what was submitted, then ends the threads.
    package func stop() {
        let threads = queue.withLock { queue in
            queue.phase = .stopped
            return queue.threads
        }
        queue.notifyAll()
        for thread in threads { thread.join() }
    }

    private static func work(_ queue: Monitor<Queue>) {
        while true {
            let task = queue.wait { queue -> Monitor<Queue>.Step<(@Sendable () -> Void)?> in
                if let task = queue.next() { return .done(task) }
                return queue.phase == .stopped ? .done(nil) : .sleep(until: nil)
            }
            guard let task else { return }
            task()
        }
    }
}
