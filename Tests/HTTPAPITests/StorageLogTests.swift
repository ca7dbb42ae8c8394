import HTTPAPI
import JobStore
import Logging
import Platform
import Synchronization
import Testing

struct StorageLogTests {
    @Test func aFullStorageIsLoggedOnceAndItsEndToo() throws {
        let lines = Lines()
        let service = try TestService { $0.logger = Logger(label: "test", factory: { _ in lines }) }
        defer { service.stop() }
        let body = "{\"handler\":\"square\",\"payload\":1}"
        for round in 1...2 {
            service.store.state.withLock { $0.submitError = .full("ballast") }
            for wait in ["wait=0", "wait=5", "wait=0"] {
                #expect(try service.post("/v1/jobs", body, [("Prefer", wait)]).status == 507)
            }
            #expect(lines.all.count == 2 * round - 1)
            service.store.state.withLock { $0.submitError = nil }
            for _ in 1...3 { #expect(try service.post("/v1/jobs", body).status == 202) }
            #expect(lines.all.count == 2 * round)
        }
        #expect(lines.all.prefix(2) == ["new work is refused: the storage is full", "new work is taken again"])
    }
}

private struct Lines: LogHandler {
    private final class Box: Sendable {
        let lines = Mutex<[String]>([])
    }

    private let box = Box()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    var all: [String] { box.lines.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { box.lines.withLock { $0.append("\(event.message)") } }
}
