import JobModel
import JobStore
import Platform

/// Those who wait for the end of a batch: each is called exactly once, when the batch ends, when its time is up, or when the
/// registry stops; or never, if it withdraws before.
///
/// Whoever waits and then finds that nobody else ended its wait may rely on that. Calls come on the store's writer thread or
/// on the registry's own: they may only hand the news on.
final class WaitRegistry: Service {
    enum End: Sendable {
        /// - outcomes: all of them, or none: then they are in the store.
        case finished(BatchRecord, outcomes: [OutcomeRun])
        case outOfTime
    }

    struct Ticket: Hashable, Sendable {
        fileprivate let batch: BatchID
        fileprivate let number: UInt64
    }

    private struct Waiter {
        let number: UInt64
        let deadline: MonotonicTime
        let body: @Sendable (End) -> Void
    }

    private struct State {
        var waiters: [BatchID: [Waiter]] = [:]
        var nextNumber: UInt64 = 0
        /// When the thread has to look next. Whoever was due then may be gone by then: that costs one look.
        var nextLook: MonotonicTime?
        var isStopped = false

        mutating func removeDue(at now: MonotonicTime) -> [Waiter] {
            var due: [Waiter] = []
            var next: MonotonicTime?
            for (batch, list) in waiters {
                let late = list.filter { $0.deadline <= now }
                if !late.isEmpty {
                    due += late
                    let rest = list.filter { $0.deadline > now }
                    waiters[batch] = rest.isEmpty ? nil : rest
                }
                for waiter in list where waiter.deadline > now {
                    next = min(next ?? waiter.deadline, waiter.deadline)
                }
            }
            nextLook = next
            return due
        }
    }

    /// Deadlines are rounded up to a multiple of this, so that ten thousand of them cost twenty looks per second.
    private static let granularity = TimeSpan.milliseconds(50)

    let name = "waits"
    private let state = Monitor(State())
    private let thread = Monitor<OwnedThread?>(nil)

    init() {}

    func start() throws {
        let owned = try OwnedThread(name: name) { [self] in run() }
        thread.withLock { $0 = owned }
    }

    /// Everybody's time is up.
    func stop() {
        let rest = state.withLock { state in
            state.isStopped = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values.joined())
        }
        state.notifyAll()
        for waiter in rest { waiter.body(.outOfTime) }
        thread.withLock { $0 }?.join()
    }

    func register(_ batch: BatchID, seconds: Int, _ body: @escaping @Sendable (End) -> Void) -> Ticket {
        let time = MonotonicTime.now() + TimeSpan(seconds: Double(seconds))
        let step = WaitRegistry.granularity.nanoseconds
        let deadline = MonotonicTime(nanoseconds: (time.nanoseconds / step + 1) * step)
        let (number, isStopped, isNext) = state.withLock { state in
            state.nextNumber += 1
            guard !state.isStopped else { return (state.nextNumber, true, false) }
            let waiter = Waiter(number: state.nextNumber, deadline: deadline, body: body)
            state.waiters[batch, default: []].append(waiter)
            let isNext = state.nextLook.map { deadline < $0 } ?? true
            if isNext { state.nextLook = deadline }
            return (state.nextNumber, false, isNext)
        }
        if isNext { state.notify() }
        if isStopped { body(.outOfTime) }
        return Ticket(batch: batch, number: number)
    }

    /// True if the waiter was still waiting; it will not be called then.
    @discardableResult
    func withdraw(_ ticket: Ticket) -> Bool {
        state.withLock { state in
            guard var list = state.waiters[ticket.batch],
                let index = list.firstIndex(where: { $0.number == ticket.number })
            else { return false }
            list.remove(at: index)
            state.waiters[ticket.batch] = list.isEmpty ? nil : list
            return true
        }
    }

    func storeDidCommit(_ changes: [StoreChange]) {
        let ended: [(Waiter, End)] = state.withLock { state in
            guard !state.waiters.isEmpty else { return [] }
            var ended: [(Waiter, End)] = []
            for case .finished(let record, let outcomes) in changes {
                for waiter in state.waiters.removeValue(forKey: record.id) ?? [] {
                    ended.append((waiter, .finished(record, outcomes: outcomes)))
                }
            }
            return ended
        }
        for (waiter, end) in ended { waiter.body(end) }
    }

    private func run() {
        while let due = nextDue() {
            for waiter in due { waiter.body(.outOfTime) }
        }
    }

    /// Sleeps until somebody's time is up; nil when the registry stops.
    private func nextDue() -> [Waiter]? {
        state.wait { state in
            if state.isStopped { return .done(nil) }
            guard let look = state.nextLook else { return .sleep(until: nil) }
            let now = MonotonicTime.now()
            guard look <= now else { return .sleep(until: look) }
            return .done(state.removeDue(at: now))
        }
    }
}
