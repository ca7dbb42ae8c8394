import Foundation
import JobModel
import JobStore
import Platform
import Testing

struct MapTests {
    @Test func anArrayGivesTheArrayOfItsResults() throws {
        try withService { service in
            service.store.state.withLock { $0.work = squares }
            let reply = try service.post("/v1/map/square", "[1, 2, 3]")
            #expect(reply.status == 200)
            #expect(reply.text == "[1,4,9]")
            #expect(reply.header("Content-Type") == "application/json")
            let record = try #require(service.store.batches.first)
            #expect(reply.header("Content-Location") == "/v1/batches/\(record.id)/results?view=values")
            #expect(record.options == BatchOptions(retries: RetryPolicy(maximumAttempts: 1), timeout: 60))
        }
    }

    @Test func aLargeArrayStreams() throws {
        try withService { service in
            service.store.state.withLock { $0.work = squares }
            let numbers = Array(0..<200_000)
            let reply = try service.post("/v1/map/square", "[\(numbers.map(String.init).joined(separator: ","))]")
            #expect(reply.status == 200)
            #expect(reply.header("Transfer-Encoding") == "chunked")
            let results = try JSONSerialization.jsonObject(with: Data(reply.body)) as? [Int]
            #expect(results == numbers.map { $0 * $0 })
        }
    }

    @Test func theQueryHoldsTheOptions() throws {
        try withService { service in
            service.store.state.withLock { $0.work = squares }
            let reply = try service.post(
                "/v1/map/square?timeout=1.5&chunk_size=python&max_attempts=9&priority=-3&wait=10", "[1]")
            #expect(reply.status == 200)
            #expect(
                service.store.batches.first?.options
                    == BatchOptions(
                        priority: -3, chunkSize: .python, retries: RetryPolicy(maximumAttempts: 9), timeout: 1.5))
        }
    }

    @Test func failuresAreNamed() throws {
        try withService { service in
            service.store.state.withLock {
                $0.work = { _ in [.succeeded(0, ["0"]), .failed(1, "no"), .cancelled(2..<3), .failed(3, "no")] }
            }
            let reply = try service.post("/v1/map/square", "[0,1,2,3]")
            #expect(reply.status == 422)
            let id = try #require(service.store.batches.first).id
            #expect(reply.object["type"] as? String == "/problems/jobs-not-succeeded")
            #expect(reply.object["failed"] as? [Int] == [1, 3])
            #expect(reply.object["failed_count"] as? Int == 2)
            #expect(reply.object["instance"] as? String == "/v1/batches/\(id)")
            #expect((reply.object["detail"] as? String)?.hasPrefix("Of 4 jobs 2 failed and 1 were cancelled.") == true)
        }
    }

    @Test func whenTimeRunsOutTheBatchGoesOn() throws {
        try withService { service in
            for target in ["/v1/map/square?wait=1", "/v1/map/square?wait=0"] {
                let reply = try service.post(target, "[1]")
                #expect(reply.status == 202)
                #expect(reply.header("Location") == "/v1/batches/\(reply.object["id"] ?? "")")
            }
            let minimal = try service.post("/v1/map/square", "[1]", [("Prefer", "respond-async, return=minimal")])
            #expect(minimal.status == 202)
            #expect(minimal.body.isEmpty)
            #expect(service.store.batches.count == 3)
        }
    }

    @Test func aClientThatGoesAwayCancelsNothing() throws {
        try withService { service in
            var connection: TestConnection? = try service.connection()
            try connection?.send("POST", "/v1/map/square", body: Array("[1]".utf8))
            let id = try #require(service.store.firstBatch()).id
            connection = nil
            #expect(try service.get("/v1/batches/\(id)").object["status"] as? String == "queued")
            service.store.record([.succeeded(0, ["1"])], of: id)
            #expect(try service.get("/v1/batches/\(id)/results?view=values").text == "[1]")
        }
    }
}
