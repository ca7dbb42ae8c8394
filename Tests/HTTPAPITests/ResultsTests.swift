import Foundation
import JobModel
import JobStore
import Platform
import Testing

struct ResultsTests {
    /// Seven jobs, five of them with an outcome.
    private func mixed(_ service: TestService) throws -> BatchID {
        let id = try service.submitted(7)
        service.store.record(
            [
                .succeeded(0, ["0", "{\"a\":[1,\",\"]}", "\"x\""]), .failed(3, "no"), .cancelled(5..<7),
            ], of: id)
        return id
    }

    @Test func linesAreTheDefault() throws {
        try withService { service in
            let id = try mixed(service)
            let expected = """
                {"index":0,"id":"job_\(id.ulid)_0","status":"succeeded","result":0}
                {"index":1,"id":"job_\(id.ulid)_1","status":"succeeded","result":{"a":[1,","]}}
                {"index":2,"id":"job_\(id.ulid)_2","status":"succeeded","result":"x"}
                {"index":3,"id":"job_\(id.ulid)_3","status":"failed","error":{"kind":"exception","message":"no"}}
                {"index":5,"id":"job_\(id.ulid)_5","status":"cancelled"}
                {"index":6,"id":"job_\(id.ulid)_6","status":"cancelled"}

                """
            for accept in [
                "*/*", "application/x-ndjson", "application/json, application/x-ndjson;q=0.1", "text/html",
                "application/json;q=0", "application/json; Q=0.000, application/x-ndjson; q=0",
            ] {
                let reply = try service.get("/v1/batches/\(id)/results", [("Accept", accept)])
                #expect(reply.status == 200)
                #expect(reply.header("Content-Type") == "application/x-ndjson")
                #expect(reply.text == expected)
            }
            #expect(try service.get("/v1/batches/\(id)/results").text == expected)
            let page = try service.get(
                "/v1/batches/\(id)/results", [("Accept", "application/x-ndjson; q=0, application/json;q=0.5")])
            #expect(page.header("Content-Type") == "application/json")
            let part = try service.get("/v1/batches/\(id)/results?cursor=2&limit=3")
            #expect(part.text == expected.split(separator: "\n")[2..<5].map { $0 + "\n" }.joined())
        }
    }

    @Test func pagesFollowEachOtherToTheEnd() throws {
        try withService { service in
            let id = try mixed(service)
            var indices: [[Int]] = []
            var target: String? = "/v1/batches/\(id)/results?limit=2"
            while let next = target {
                let reply = try service.get(next, [("Accept", "application/json")])
                #expect(reply.header("Content-Type") == "application/json")
                let results = try #require(reply.object["results"] as? [[String: Any]])
                indices.append(results.compactMap { $0["index"] as? Int })
                target = reply.header("Link").map { String($0.dropFirst().prefix { $0 != ">" }) }
                #expect((reply.object["next_cursor"] is String) == (target != nil))
            }
            #expect(indices == [[0, 1], [2, 3], [5, 6]])
            let behind = try service.get("/v1/batches/\(id)/results?cursor=7", [("Accept", "application/json")])
            #expect(behind.text == "{\"results\":[],\"next_cursor\":null}")
        }
    }

    @Test func aPageOfLargeResultsIsShorterThanItsLimit() throws {
        try withService { service in
            let id = try service.submitted(8)
            let large = "\"\(String(repeating: "x", count: 400_000))\""
            service.store.record((0..<8).map { .succeeded($0, [large]) }, of: id)
            let reply = try service.get("/v1/batches/\(id)/results", [("Accept", "application/json")])
            let results = try #require(reply.object["results"] as? [[String: Any]])
            #expect(results.count == 3)
            #expect(reply.object["next_cursor"] as? String == "3")
        }
    }

    @Test func valuesWantEverythingToSucceed() throws {
        try withService { service in
            let open = try service.submitted(2)
            service.store.record([.succeeded(0, ["0"])], of: open)
            let early = try service.get("/v1/batches/\(open)/results?view=values")
            #expect(early.status == 409)
            #expect(early.object["type"] as? String == "/problems/batch-not-finished")
            service.store.record([.failed(1, "no")], of: open)
            let failed = try service.get("/v1/batches/\(open)/results?view=values")
            #expect(failed.status == 422)
            #expect(failed.object["failed"] as? [Int] == [1])
        }
    }

    @Test func valuesAreCutWhereTheyAreAsked() throws {
        try withService { service in
            let id = try service.submitted(6)
            service.store.record(
                [.succeeded(0, ["0", "[1,1]"]), .succeeded(2, ["2"]), .succeeded(3, ["3", "4", "5"])], of: id)
            let path = "/v1/batches/\(id)/results?view=values"
            #expect(try service.get(path).text == "[0,[1,1],2,3,4,5]")
            #expect(try service.get(path, [("Accept", "application/json")]).text == "[0,[1,1],2,3,4,5]")
            #expect(try service.get(path + "&cursor=1&limit=3").text == "[[1,1],2,3]")
            #expect(try service.get(path + "&cursor=4").text == "[4,5]")
            #expect(try service.get(path + "&cursor=6").text == "[]")
        }
    }

    @Test func manyLinesStreamInOrder() throws {
        try withService { service in
            let id = try service.submitted(30_000)
            let runs = stride(from: 0, to: 30_000, by: 500).map { first in
                OutcomeRun.succeeded(first, (first..<(first + 500)).map(String.init))
            }
            service.store.record(runs, of: id)
            let reply = try service.get("/v1/batches/\(id)/results")
            #expect(reply.header("Transfer-Encoding") == "chunked")
            let lines = reply.text.split(separator: "\n")
            #expect(lines.count == 30_000)
            for (index, line) in lines.enumerated() where index % 997 == 0 {
                #expect(
                    line
                        == "{\"index\":\(index),\"id\":\"job_\(id.ulid)_\(index)\",\"status\":\"succeeded\",\"result\":\(index)}"
                )
            }
        }
    }

    @Test func aStreamThatCannotGoOnBreaksOff() throws {
        try withService { service in
            let id = try service.submitted(4000)
            // Too much for the buffers of sockets, so that the stream is still on its way when the store fails.
            let large = String(repeating: "1", count: 30_000)
            service.store.record(
                (0..<4000).map { .succeeded($0, [large]) }, of: id)
            let connection = try service.connection()
            try connection.send("GET", "/v1/batches/\(id)/results")
            service.store.waitForReads(4)
            service.store.state.withLock { $0.readError = .broken("disk") }
            #expect(throws: ClientError.self) { try connection.reply() }
        }
    }
}
