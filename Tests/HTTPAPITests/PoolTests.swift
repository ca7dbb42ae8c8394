import HTTPAPI
import JobModel
import Synchronization
import Testing

struct PoolTests {
    private final class PoolStub: PoolControl {
        private let size = Mutex(2)

        func resize(to slots: Int) { size.withLock { $0 = slots } }
        func snapshot() -> PoolSnapshot {
            PoolSnapshot(
                size: size.withLock { $0 },
                workers: [
                    PoolSnapshot.Worker(
                        processID: 42, runtime: "swift", state: .busy,
                        job: JobID(batch: BatchID(ULID(high: 1, low: 2)), index: 3), handler: "square", since: 0.5,
                        residentBytes: 1 << 20, jobs: 7, age: 12.25),
                    PoolSnapshot.Worker(processID: nil, runtime: "swift", state: .starting, since: 0, jobs: 0, age: 0),
                ],
                runtimes: [
                    PoolSnapshot.Runtime(
                        name: "swift", state: .unhealthy, processID: 41, handlers: ["square"], reason: "it broke")
                ])
        }
    }

    private func withPool(_ body: (TestService) throws -> Void) throws {
        try withService({ $0.pool = PoolStub() }, body)
    }

    @Test func isShown() throws {
        try withPool { service in
            let pool = try service.get("/v1/pool")
            #expect(pool.status == 200)
            let workers = try #require(pool.object["workers"] as? [[String: Any]])
            #expect(workers[0]["pid"] as? Int == 42)
            #expect(workers[0]["state"] as? String == "busy")
            #expect(workers[0]["job"] as? String == "\(JobID(batch: BatchID(ULID(high: 1, low: 2)), index: 3))")
            #expect(workers[0]["since"] as? Double == 0.5)
            #expect(workers[0]["resident_bytes"] as? Int == 1 << 20)
            #expect(workers[0]["jobs"] as? Int == 7)
            #expect(workers[0]["age"] as? Double == 12.25)
            #expect(pool.text.contains("{\"pid\":null,\"runtime\":\"swift\",\"state\":\"starting\",\"handler\":null,"))
            #expect(
                pool.text.hasSuffix(
                    "\"runtimes\":[{\"name\":\"swift\",\"state\":\"unhealthy\",\"pid\":41,\"handlers\":[\"square\"],"
                        + "\"reason\":\"it broke\"}]}"))
        }
    }

    @Test func isResized() throws {
        try withPool { service in
            let reply = try service.patch("/v1/pool", "{\"size\": 17}")
            #expect(reply.status == 200)
            #expect(reply.object["size"] as? Int == 17)
            #expect(try service.get("/v1/pool").object["size"] as? Int == 17)
        }
    }

    @Test(arguments: [
        ("{\"size\":0}", "/size"), ("{\"size\":1025}", "/size"), ("{\"size\":\"2\"}", "/size"),
        ("{\"size\":1.5}", "/size"),
        ("{}", "/size"), ("{\"size\":3,\"color\":1}", "/color"), ("[]", ""),
    ])
    func otherSizesAreRefused(body: String, pointer: String) throws {
        try withPool { service in
            let reply = try service.patch("/v1/pool", body)
            #expect(reply.status == 422)
            #expect(reply.places == [pointer])
            #expect(try service.get("/v1/pool").object["size"] as? Int == 2)
        }
    }
}
