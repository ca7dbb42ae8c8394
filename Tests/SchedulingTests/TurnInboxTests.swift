import Glibc
import Platform
import Synchronization
import Testing

@testable import Scheduling

@Suite struct TurnInboxTests {
    /// An owner's thread that notes what it receives.
    private final class Owner: Sendable {
        let inbox = TurnInbox<Int>()
        let heard = Monitor<[Int]>([])
        private let thread = Mutex<OwnedThread?>(nil)

        init(due: MonotonicTime? = nil) throws {
            let thread = try OwnedThread(name: "owner") { [inbox, heard] in
                var messages: [Int] = []
                var due = due
                while inbox.receive(&messages, due: due, now: { .now() }) {
                    // A turn without a message is one that was due, or left over.
                    heard.withLock { $0 += messages.isEmpty ? [0] : messages }
                    heard.notifyAll()
                    messages = []
                    due = nil
                }
            }
            self.thread.withLock { $0 = thread }
        }

        func stop() {
            inbox.stop()
            thread.withLock { $0 }?.join()
        }

        /// Waits until so much was heard.
        func hears(_ expected: [Int]) -> Bool {
            let deadline = MonotonicTime.now() + TimeSpan(seconds: 10)
            return heard.wait { heard -> Monitor<[Int]>.Step<Bool> in
                if heard.count >= expected.count { return .done(heard == expected) }
                return MonotonicTime.now() >= deadline ? .done(false) : .sleep(until: deadline)
            }
        }

        /// Waits until it has heard so often.
        func hearsOf(_ count: Int) -> Bool {
            let deadline = MonotonicTime.now() + TimeSpan(seconds: 10)
            return heard.wait { heard -> Monitor<[Int]>.Step<Bool> in
                if heard.count >= count { return .done(true) }
                return MonotonicTime.now() >= deadline ? .done(false) : .sleep(until: deadline)
            }
        }

        /// Brings light messages until one is for the bringer: then the thread sleeps.
        func takeTurn() -> Bool {
            let deadline = MonotonicTime.now() + TimeSpan(seconds: 10)
            while MonotonicTime.now() < deadline {
                if inbox.put(-1, isLight: true) { return true }
            }
            return false
        }
    }

    @Test func theThreadGetsWhatIsNotLight() throws {
        let owner = try Owner()
        defer { owner.stop() }
        #expect(!owner.inbox.put(1, isLight: false))
        #expect(owner.hears([1]))
        #expect(!owner.inbox.put(2, isLight: false))
        #expect(owner.hears([1, 2]))
    }

    @Test func aLightMessageIsForItsBringerWhileTheThreadSleeps() throws {
        let owner = try Owner()
        defer { owner.stop() }
        #expect(owner.takeTurn())
        // One turn at a time: these wait for its end, and then for the thread.
        #expect(!owner.inbox.put(7, isLight: true))
        #expect(!owner.inbox.put(8, isLight: false))
        let before = owner.heard.withLock { $0.filter { $0 != -1 } }
        #expect(before == [])
        owner.inbox.endTurn(due: nil, isWorkLeft: false)
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 10)
        let isHeard = owner.heard.wait { heard -> Monitor<[Int]>.Step<Bool> in
            if heard.filter({ $0 != -1 }) == [7, 8] { return .done(true) }
            return MonotonicTime.now() >= deadline ? .done(false) : .sleep(until: deadline)
        }
        #expect(isHeard)
    }

    @Test func whatIsLeftOverOrBecomesDueWakesTheThread() throws {
        for (due, isWorkLeft) in [(nil, true), (MonotonicTime.now(), false)] {
            let owner = try Owner()
            defer { owner.stop() }
            #expect(owner.takeTurn())
            let before = owner.heard.withLock { $0.count }
            owner.inbox.endTurn(due: due, isWorkLeft: isWorkLeft)
            let expected = Array(repeating: -1, count: before) + [0]
            #expect(owner.hears(expected))
        }
    }

    @Test func whatBecameDueInSomebodyElsesTurnIsNotForgotten() throws {
        // The time passes while somebody has the turn: the thread finds that out, and sleeps on without an alarm.
        let owner = try Owner(due: .now() + TimeSpan.milliseconds(1))
        defer { owner.stop() }
        #expect(owner.takeTurn())
        let heard = owner.heard.withLock { $0.count }
        let due = MonotonicTime.now() + TimeSpan.milliseconds(20)
        while MonotonicTime.now() < due { sched_yield() }
        owner.inbox.endTurn(due: due, isWorkLeft: false)
        #expect(owner.hearsOf(heard + 1))
    }

    @Test func aSecondTurnWithTheSameDueTimeIsNotForgotten() throws {
        for _ in 0..<200 {
            let owner = try Owner()
            defer { owner.stop() }
            #expect(owner.takeTurn())
            let heard = owner.heard.withLock { $0.count }
            let due = MonotonicTime.now() + TimeSpan.milliseconds(2)
            owner.inbox.endTurn(due: due, isWorkLeft: false)
            // At once, so that the thread may or may not have set its alarm before.
            if owner.inbox.put(-1, isLight: true) { owner.inbox.endTurn(due: due, isWorkLeft: false) }
            #expect(owner.hearsOf(heard + 1))
        }
    }

    @Test func theThreadWakesWhenItIsDue() throws {
        let owner = try Owner(due: .now() + TimeSpan.milliseconds(5))
        defer { owner.stop() }
        #expect(owner.hears([0]))
    }

    @Test func nobodyGetsATurnAfterTheStop() throws {
        let owner = try Owner()
        owner.stop()
        #expect(!owner.inbox.put(1, isLight: true))
        #expect(owner.heard.withLock { $0 } == [])
    }
}
