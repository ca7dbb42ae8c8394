import Foundation
import HTTPAPI
import HTTPServer
import JobModel
import JobStore
import Logging
import Platform
import Synchronization

/// The API on a real server and a store in memory, on a free port of its own.
final class TestService {
    let store = MemoryStore()
    let live = LiveStub()
    let api: API
    let server: HTTPServer
    private let tasks = TaskThreads(name: "tasks", count: 2)

    init(_ configure: (inout APIConfiguration) -> Void) throws {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        var configuration = APIConfiguration(
            store: store, tasks: tasks, live: live, pool: EmptyPool(),
            handlers: { [live] in
                [
                    HandlerDescription(
                        HandlerProfile(
                            name: "square", limits: HandlerLimits(timeout: 2.5, residentBytes: 1 << 30), concurrency: 3),
                        runtime: "swift"),
                    HandlerDescription(
                        HandlerProfile(name: "echo", recycling: RecyclingPolicy(jobs: 1000)), runtime: "python",
                        unhealthy: live.unhealthy("echo")),
                ]
            },
            readiness: { Readiness() },
            callbackURLProblem: { $0.hasPrefix("http") ? nil : "must be an absolute http or https URL" },
            secretProblem: {
                $0.hasPrefix("whsec_") && $0.utf8.count >= 38 ? nil : "must be \"whsec_\" and 24 to 64 bytes in base64"
            },
            openapi: Array("openapi: 3.1.0\n".utf8), defaultTimeout: 60,
            clock: { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1e6)) }, version: "1.2.3",
            logger: quiet)
        configure(&configuration)
        api = API(configuration)
        server = try HTTPServer(
            configuration: HTTPServerConfiguration(host: "127.0.0.1", port: 0), handler: api, logger: quiet)
        try tasks.start()
        try store.start { [api] in api.storeDidCommit($0) }
        try api.start()
        try server.start()
    }

    func stop() {
        store.hold(false)
        api.stop()
        server.stop()
        store.stop()
        tasks.stop()
    }

    func connection() throws -> TestConnection { try TestConnection(port: server.port) }

    func get(_ target: String, _ headers: [(String, String)] = [], method: String = "GET") throws -> Reply {
        let connection = try connection()
        try connection.send(method, target, headers)
        return try connection.reply()
    }

    func post(_ target: String, _ body: String, _ headers: [(String, String)] = []) throws -> Reply {
        try post(target, bytes: Array(body.utf8), headers)
    }

    func post(_ target: String, bytes: [UInt8], _ headers: [(String, String)] = []) throws -> Reply {
        try send("POST", target, bytes: bytes, headers)
    }

    func send(
        _ method: String, _ target: String, bytes: [UInt8], _ headers: [(String, String)] = []
    ) throws -> Reply {
        let connection = try connection()
        try connection.send(method, target, [("Content-Type", "application/json")] + headers, body: bytes)
        return try connection.reply()
    }

    func patch(_ target: String, _ body: String) throws -> Reply {
        try send("PATCH", target, bytes: Array(body.utf8))
    }

    /// Stores a batch of integers.
    func submitted(_ count: Int = 3, handler: String = "square") throws -> BatchID {
        let jobs = (0..<count).map(String.init).joined(separator: ",")
        let reply = try post("/v1/batches", "{\"handler\":\"\(handler)\",\"jobs\":[\(jobs)]}")
        guard let text = reply.object["id"] as? String, let id = BatchID(text) else {
            throw ClientError(detail: reply.text)
        }
        return id
    }
}

func withService(
    _ configure: (inout APIConfiguration) -> Void = { _ in }, _ body: (TestService) throws -> Void
) throws {
    let service = try TestService(configure)
    defer { service.stop() }
    try body(service)
}

struct EmptyPool: PoolControl {
    func snapshot() -> PoolSnapshot { PoolSnapshot(size: 1, workers: [], runtimes: []) }
    func resize(to slots: Int) {}
}

final class LiveStub: LiveState {
    private let jobs = Mutex<Set<JobID>>([])
    private let state = Mutex(State())

    private struct State {
        var progress: [JobID: JobProgress] = [:]
        var logs: [JobID: [JobLog]] = [:]
        var unhealthy: [String: Unhealthy] = [:]
    }

    func set(_ progress: JobProgress, of job: JobID) { state.withLock { $0.progress[job] = progress } }
    func set(_ logs: [JobLog], of job: JobID) { state.withLock { $0.logs[job] = logs } }
    func set(_ unhealthy: Unhealthy?, of handler: String) { state.withLock { $0.unhealthy[handler] = unhealthy } }

    func progress(of job: JobID) -> JobProgress? { state.withLock { $0.progress[job] } }
    func logs(of job: JobID) -> [JobLog] { state.withLock { $0.logs[job] ?? [] } }
    func unhealthy(_ handler: String) -> Unhealthy? { state.withLock { $0.unhealthy[handler] } }

    /// These run from now on, and nothing else.
    func run(_ running: Set<JobID>) { jobs.withLock { $0 = running } }

    func running(in batch: BatchID) -> Int { jobs.withLock { jobs in jobs.count { $0.batch == batch } } }
    func running(inQueue name: String) -> Int { name == "busy" ? jobs.withLock { $0.count } : 0 }
    func isRunning(_ job: JobID) -> Bool { jobs.withLock { $0.contains(job) } }
}

/// What `square` makes of integers.
let squares: @Sendable (NewBatch) -> [OutcomeRun] = { batch in
    batch.segments.map { segment in
        let payloads = String(decoding: segment.input, as: UTF8.self).split(separator: ",")
        return .succeeded(
            segment.first,
            payloads.map { String((Int($0.filter(\.isNumber)) ?? 0) * (Int($0.filter(\.isNumber)) ?? 0)) })
    }
}
