import HTTPServer
import Platform
import Synchronization

/// A handler made of closures. Without any it answers every request with its method, path and body.
final class TestHandler: HTTPHandler {
    private let admission: Admit
    private let handling: Handle

    typealias Admit = @Sendable (HTTPRequestHead) -> HTTPAdmission
    typealias Handle = @Sendable (HTTPRequest, HTTPResponder) -> Void

    static let admitMegabyte: Admit = { _ in .accept(maximumBodyBytes: 1_000_000) }
    static let echo: Handle = { request, responder in
        let body = String(decoding: request.body, as: UTF8.self)
        responder.respond(.text("\(request.head.method) \(request.head.path) \(body)"))
    }

    init(admit: @escaping Admit, handle: @escaping Handle) {
        admission = admit
        handling = handle
    }

    convenience init(admit: @escaping Admit) { self.init(admit: admit, handle: Self.echo) }
    convenience init(handle: @escaping Handle) { self.init(admit: Self.admitMegabyte, handle: handle) }
    convenience init() { self.init(admit: Self.admitMegabyte, handle: Self.echo) }

    func admit(_ head: HTTPRequestHead) -> HTTPAdmission { admission(head) }
    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) { handling(request, responder) }
    func refusal(status: Int, detail: String) -> HTTPResponse { .text("refused: \(detail)", status: status) }
}

extension HTTPResponse {
    static func text(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("Content-Type", "text/plain")], body: .bytes(Array(text.utf8)))
    }
}

extension HTTPServer {
    /// On a free port of the loopback, or of `host`.
    static func started(
        _ handler: TestHandler = TestHandler(), host: String = "127.0.0.1",
        configure: (inout HTTPServerConfiguration) -> Void = { _ in }
    ) throws -> HTTPServer {
        var configuration = HTTPServerConfiguration(host: host, port: 0)
        configure(&configuration)
        let server = try HTTPServer(configuration: configuration, handler: handler)
        try server.start()
        return server
    }
}

/// Values that threads leave for a test, which waits for them.
final class Collected<Value: Sendable>: Sendable {
    private let values = Monitor<[Value]>([])

    func add(_ value: Value) {
        values.withLock { $0.append(value) }
        values.notifyAll()
    }

    /// The first `count` values, or fewer if they do not come in ten seconds.
    func first(_ count: Int) -> [Value] {
        let limit = MonotonicTime.now() + TimeSpan(seconds: 10)
        return values.wait { values in
            values.count >= count || MonotonicTime.now() >= limit
                ? .done(Array(values.prefix(count))) : .sleep(until: limit)
        }
    }

    var all: [Value] { values.withLock { $0 } }
}

/// Paces a test's own actions; never used to wait for the server.
func pause(_ span: TimeSpan) {
    let end = MonotonicTime.now() + span
    Monitor(()).wait { _ in MonotonicTime.now() >= end ? .done(()) : .sleep(until: end) }
}

/// True as soon as the condition holds, false after ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    let limit = MonotonicTime.now() + TimeSpan(seconds: 10)
    while !condition() {
        if MonotonicTime.now() >= limit { return false }
        pause(.milliseconds(2))
    }
    return true
}
