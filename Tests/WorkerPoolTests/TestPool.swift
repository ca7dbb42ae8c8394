import Foundation
import Glibc
import JobModel
import Logging
import Platform
import Testing

@testable import WorkerPool

/// A real pool over the test host, whose events a test can wait for.
final class TestPool: Sendable {
    static let batch = BatchID(ULID(high: 1, low: 2))

    let pool: Pool
    private let events: Monitor<[ChunkEvent]>

    /// - Parameters:
    ///   - rules: of handlers of the test host that are not to have the usual ones.
    ///   - runtimes: nil: one, with all handlers of the test host.
    init(
        slots: Int = 1, gracePeriod: Double = 10, maximumResultBytes: Int = 4 << 20, rules: [HandlerProfile] = [],
        runtimes: [RuntimeDefinition]? = nil, controlGroups: String = MemoryShortage.usualRoot
    ) throws {
        let events = Monitor<[ChunkEvent]>([])
        self.events = events
        let usual = TestPool.handlers.map { name in rules.first { $0.name == name } ?? HandlerProfile(name: name) }
        let runtimes = try runtimes ?? [.swift(executable: TestPool.host(), handlers: usual)]
        pool = Pool(
            configuration: PoolConfiguration(
                slots: slots, runtimes: runtimes, gracePeriod: TimeSpan(seconds: gracePeriod),
                maximumResultBytes: maximumResultBytes, controlGroups: controlGroups),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { event in
            events.withLock { $0.append(event) }
            events.notifyAll()
        }
        try pool.start()
    }

    deinit { pool.stop() }

    /// What the test host offers.
    static let handlers = [
        "echo", "square", "sleep", "fail", "crash", "hang", "allocate", "stubborn", "mark", "hostile", "parent",
        "letters",
        "identity", "whoami", "descriptors", "print", "flood", "complain", "grow", "hoard", "spin", "freeze", "runaway",
        "counted", "speaking", "chatter", "babble", "shared", "files", "spender",
        "regret", "deafen", "gate", "patricide",
    ]

    /// The program beside the test bundle.
    static func host() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folders = [own, CommandLine.arguments[0]].map { ($0 as NSString).deletingLastPathComponent }
        let candidates = folders.map { $0 + "/WorkerPoolTestHost" }
        return try #require(
            candidates.first { FileManager.default.isExecutableFile(atPath: $0) }, "no test host in \(folders)")
    }

    static func part(_ payloads: [String], first: Int = 0, attempt: Int = 1) -> Chunk.Part {
        Chunk.Part(
            batch: batch, first: first, count: payloads.count, attempt: attempt,
            input: Array(payloads.joined(separator: ",").utf8))
    }

    static func chunk(_ id: UInt64, _ handler: String, _ payloads: [String], timeout: Double? = nil) -> Chunk {
        Chunk(id: id, handler: handler, timeout: timeout, parts: [part(payloads)])
    }

    struct Report {
        /// One for each job: its result's text, or its failure.
        var jobs: [Job] = []
        var runs: [ChunkRun] = []
        var end: ChunkEnd

        enum Job: Equatable {
            case result(String)
            case failure(Failure)
        }

        /// The worker was gone, or went, before it ran anything.
        var isUntouched: Bool {
            switch end {
            case .returned, .lost: jobs.isEmpty
            case .completed, .interrupted, .orphaned: false
            }
        }

        var results: [String?] {
            jobs.map { if case .result(let text) = $0 { text } else { nil } }
        }
    }

    /// Runs a chunk to its end.
    func run(_ chunk: Chunk) throws -> Report {
        pool.run(chunk)
        return try report(of: chunk.id)
    }

    /// Waits for the end of a chunk.
    func report(of id: UInt64) throws -> Report {
        let all = try wait("the end of chunk \(id)") { events in
            events.contains { if case .ended(id, _) = $0 { true } else { false } } ? events : nil
        }
        var report = Report(end: .returned)
        for event in all {
            switch event {
            case .outcomes(id, let position, let runs):
                #expect(position == report.jobs.count, "outcomes come in order, without gaps")
                for run in runs { report.add(run) }
            case .ended(id, let end):
                report.end = end
            default: break
            }
        }
        #expect(all.count { if case .ended(id, _) = $0 { true } else { false } } == 1)
        return report
    }

    /// What was added to a counter by all jobs.
    func count(of name: String) -> Int64 {
        events.withLock { events in
            events.reduce(0) { sum, event in
                guard case .counted(_, _, let deltas) = event else { return sum }
                return sum + deltas.filter { $0.name == name }.reduce(0) { $0 + $1.amount }
            }
        }
    }

    /// What was heard of a chunk, lines and outcomes, in order.
    func order(of id: UInt64) -> [String] {
        events.withLock { events in
            events.compactMap { event in
                switch event {
                case .logged(id, _, _, _): "line"
                case .outcomes(id, _, _): "outcome"
                default: nil
                }
            }
        }
    }

    /// What was printed or logged while a chunk ran.
    func lines(of id: UInt64) -> [LogLine] {
        events.withLock { events in
            events.flatMap { event -> [LogLine] in
                if case .logged(id, _, let lines, _) = event { lines } else { [] }
            }
        }
    }

    /// How many lines of each of a chunk's jobs were heard of, and how many of them were left out, by position.
    func lineCounts(of id: UInt64) -> [Int: (all: Int, dropped: Int)] {
        events.withLock { events in
            events.reduce(into: [:]) { counts, event in
                guard case .logged(id, let position, let lines, let dropped) = event else { return }
                let before = counts[position] ?? (0, 0)
                counts[position] = (before.all + lines.count + dropped, before.dropped + dropped)
            }
        }
    }

    /// Waits until something is said to have failed for a handler (true) or to be well again.
    func waitForHealth(of handler: String, isUnhealthy: Bool) throws -> Unhealthy? {
        try wait("news of \(handler)") { events -> Unhealthy?? in
            for case .health(let handlers, let unhealthy) in events.reversed() where handlers.contains(handler) {
                let hasFailed = unhealthy.map { !$0.acceptsJobs } ?? false
                return (isUnhealthy ? hasFailed : unhealthy == nil) ? .some(unhealthy) : nil
            }
            return nil
        }
    }

    func waitForSlots(_ count: Int, occurrences: Int = 1) throws {
        _ = try wait("\(count) slots") { events in events.count { $0 == .slots(count) } >= occurrences ? events : nil }
    }

    func wait<Result>(_ what: String, _ body: ([ChunkEvent]) -> Result?) throws -> Result {
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 30)
        let result: Result? = events.wait { events in
            if let result = body(events) { return .done(result) }
            return deadline <= .now() ? .done(nil) : .sleep(until: deadline)
        }
        return try #require(result, "waited in vain for \(what)")
    }
}

extension TestPool.Report {
    mutating func add(_ run: ChunkRun) {
        runs.append(run)
        switch run {
        case .failed(let failure): jobs.append(.failure(failure))
        case .succeeded(let count, let body):
            let text = String(decoding: body, as: UTF8.self)
            let pieces = count == 1 ? [text] : text.split(separator: ",").map(String.init)
            #expect(pieces.count == count)
            jobs += pieces.map { .result($0) }
        }
    }
}

/// Looks again and again until something is true, and fails when that takes too long.
func eventually(_ what: String, _ condition: () -> Bool) throws {
    let deadline = MonotonicTime.now() + TimeSpan(seconds: 30)
    while !condition() {
        try #require(MonotonicTime.now() < deadline, "waited in vain: \(what)")
        usleep(2000)
    }
}

/// Whether a process exists that is not a zombie.
func isAlive(_ process: Int32) -> Bool {
    guard let status = SmallFile.read("/proc/\(process)/stat"), let name = status.lastIndex(of: ")") else {
        return false
    }
    let state = status[status.index(name, offsetBy: 2)]
    return state != "Z" && state != "X"
}

/// A path for a file that a handler makes to say where it is; it does not exist yet.
func markerPath() -> String { FileManager.default.temporaryDirectory.path + "/jobmill-mark-\(UUID().uuidString)" }

/// Waits for a marker and removes it.
func awaitMarker(_ path: String) throws {
    try eventually("the job marks its start") { access(path, F_OK) == 0 }
    unlink(path)
}

func exists(_ process: Int32) -> Bool { kill(process, 0) == 0 }

func parent(of process: Int32) -> Int32? {
    guard let status = SmallFile.read("/proc/\(process)/stat"), let name = status.lastIndex(of: ")") else { return nil }
    return status[name...].split(separator: " ").dropFirst(2).first.flatMap { Int32($0) }
}
