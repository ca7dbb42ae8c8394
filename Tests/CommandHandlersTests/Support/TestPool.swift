import JSONBytes
import JobModel
import Logging
import Platform
import Testing
import WorkerPool

@testable import CommandHandlers

/// A real pool with one worker for one command, `work`.
final class TestPool: Sendable {
    private let pool: Pool
    private let events: Monitor<[ChunkEvent]>

    /// - Parameter grace: what a cancelled job gets, in milliseconds; the usual one is longer than a test waits.
    init(
        _ kind: CommandSpecification.Kind, _ words: [String], limits: HandlerLimits = HandlerLimits(),
        grace: Int64 = 60_000
    ) throws {
        let events = Monitor<[ChunkEvent]>([])
        self.events = events
        let specification = try CommandSpecification(
            name: "work", kind: kind, words: words, serviceEnvironment: CurrentProcess.environment(), currentFolder: "/"
        )
        var setup = JSONWriter()
        setup.beginObject()
        setup.key("handlers")
        setup.beginArray()
        setup.endArray()
        setup.key("commands")
        setup.beginArray()
        specification.write(to: &setup)
        setup.endArray()
        setup.endObject()
        let runtime = RuntimeDefinition(
            name: "commands", executable: try TestHost.path(), arguments: ["__zygote"],
            setup: setup.bytes, handlers: [HandlerProfile(name: "work", limits: limits)])
        pool = Pool(
            configuration: PoolConfiguration(
                slots: 1, runtimes: [runtime], gracePeriod: .milliseconds(grace), maximumResultBytes: 1 << 20),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { event in
            events.withLock { $0.append(event) }
            events.notifyAll()
        }
        try pool.start()
    }

    deinit { pool.stop() }

    /// Runs jobs as one chunk.
    func run(_ id: UInt64, _ payloads: [String], timeout: Double? = nil) throws -> Report {
        begin(id, payloads, timeout: timeout)
        return try end(of: id)
    }

    func cancel(_ id: UInt64) { pool.cancel(id) }

    func begin(_ id: UInt64, _ payloads: [String], timeout: Double? = nil) {
        let part = Chunk.Part(
            batch: Trial.batch, first: 0, count: payloads.count, attempt: 1,
            input: Array(payloads.joined(separator: ",").utf8))
        pool.run(Chunk(id: id, handler: "work", timeout: timeout, parts: [part]))
    }

    func end(of id: UInt64) throws -> Report {
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 30)
        let all: [ChunkEvent]? = events.wait { events in
            if events.contains(where: { if case .ended(id, _) = $0 { true } else { false } }) { return .done(events) }
            return deadline <= .now() ? .done(nil) : .sleep(until: deadline)
        }
        return Report(of: id, try #require(all, "waited in vain for chunk \(id)"))
    }

    /// What was heard of a chunk.
    struct Report {
        var outcomes: [TrialOutcome] = []
        var signs: [String] = []
        var end: ChunkEnd?

        init(of id: UInt64, _ events: [ChunkEvent]) {
            for event in events {
                switch event {
                case .outcomes(id, _, let runs): for run in runs { add(run) }
                case .progress(id, let position, let progress):
                    signs.append("\(position) \(progress.fraction.map { "\($0)" } ?? "-") \(progress.message ?? "-")")
                case .logged(id, let position, let lines, _):
                    signs += lines.map { "\(position) \($0.source.rawValue) \($0.text)" }
                case .counted(id, _, let deltas): signs += deltas.map { "\($0.name) \($0.amount)" }
                case .ended(id, let end): self.end = end
                default: break
                }
            }
        }

        private mutating func add(_ run: ChunkRun) {
            switch run {
            case .failed(let failure): outcomes.append(.failure(failure))
            case .succeeded(_, let body):
                outcomes += String(decoding: body, as: UTF8.self).split(separator: ",").map { .result(String($0)) }
            }
        }
    }
}
