import Glibc
import JobModel
import JobStore
import Logging
import Platform
import Synchronization
import Testing

@testable import Scheduling

/// A dispatcher with its thread, between a store in memory and a scripted runner.
final class Station: Sendable {
    let store = TestStore()
    let runner: ScriptedRunner
    let clock = TestClock()
    let log = LogCatcher()
    let dispatcher: Dispatcher
    private let failures: Failures

    init(
        slots: Int = 2, handlers: [HandlerProfile] = [HandlerProfile(name: "work")],
        limits: ScheduleLimits = ScheduleLimits(), script: @escaping ScriptedRunner.Script = ScriptedRunner.success
    ) {
        let runner = ScriptedRunner(slots: slots, script: script)
        let failures = Failures()
        let (log, clock) = (log, clock)
        // The clock stands still, so nobody would ever have waited long enough.
        var limits = limits
        limits.gatheringTime = .zero
        let dispatcher = Dispatcher(
            store: store, clock: SchedulingClock { clock.now }, handlers: handlers, limits: limits,
            logger: Logger(label: "dispatcher", factory: { _ in log }), onFatal: { failures.add($0) })
        dispatcher.use(runner)
        // Weak: the dispatcher holds the store and the runner.
        runner.listen { [weak dispatcher] in dispatcher?.handle($0) }
        store.observe { [weak dispatcher] in dispatcher?.storeDidCommit($0) }
        (self.runner, self.failures, self.dispatcher) = (runner, failures, dispatcher)
    }

    var fatal: [StoreError] { failures.all }

    /// Starts the dispatcher, and stops it when the body is done.
    func run(_ body: () throws -> Void) throws {
        try dispatcher.start()
        defer { dispatcher.stop() }
        try body()
    }

    func advance(seconds: Double) {
        clock.advance(seconds: seconds)
        dispatcher.storeDidCommit([])
    }
}

/// A clock that a test moves. It is ahead of the real one, so that nobody who waits by it wakes up by himself.
final class TestClock: Sendable {
    private let moment = Mutex(
        Moment(
            monotonic: MonotonicTime.now() + TimeSpan(seconds: 3600),
            wall: Timestamp(microseconds: 1_700_000_000_000_000)))
    private let readings = Atomic(0)

    var now: Moment {
        readings.add(1, ordering: .relaxed)
        return moment.withLock { $0 }
    }

    /// How often it was looked at.
    var reads: Int { readings.load(ordering: .relaxed) }

    func advance(seconds: Double) {
        moment.withLock { moment in
            moment.monotonic = moment.monotonic + TimeSpan(seconds: seconds)
            moment.wall = moment.wall.advanced(bySeconds: seconds)
        }
    }
}

final class Failures: Sendable {
    private let errors = Mutex<[StoreError]>([])

    var all: [StoreError] { errors.withLock { $0 } }
    func add(_ error: StoreError) { errors.withLock { $0.append(error) } }
}

/// Keeps what is logged.
final class LogCatcher: LogHandler, Sendable {
    private let lines = Mutex<[(Logger.Level, String)]>([])

    func count(_ level: Logger.Level, _ part: String) -> Int {
        lines.withLock { lines in lines.count { $0.0 == level && $0.1.contains(part) } }
    }

    func log(event: LogEvent) { lines.withLock { $0.append((event.level, "\(event.message)")) } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
}

/// Waits until something has come about on another thread.
func eventually(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) rethrows {
    let deadline = MonotonicTime.now() + TimeSpan(seconds: 20)
    while MonotonicTime.now() < deadline {
        if try condition() { return }
        letOthersRun()
    }
    Issue.record(what, sourceLocation: sourceLocation)
}

/// A moment for other threads.
func letOthersRun() { usleep(500) }
