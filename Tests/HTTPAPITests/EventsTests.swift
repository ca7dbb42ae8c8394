import Foundation
import HTTPAPI
import JobModel
import JobStore
import Platform
import Testing

struct EventsTests {
    /// One event as a client sees it.
    private struct Event {
        var id = ""
        var name = ""
        var data: [String: Any] = [:]

        init?(_ text: String) {
            for line in text.split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                switch parts[0] {
                case "id": id = parts[1]
                case "event": name = parts[1]
                case "data":
                    data = (try? JSONSerialization.jsonObject(with: Data(parts[1].utf8)) as? [String: Any]) ?? [:]
                default: return nil
                }
            }
        }
    }

    /// What came, until a text is in it.
    private func read(_ connection: TestConnection, until text: String) throws -> String {
        var all = ""
        let deadline = MonotonicTime.now() + TimeSpan(seconds: 20)
        while !all.contains(text) {
            let part = try connection.receive()
            guard !part.isEmpty, MonotonicTime.now() < deadline else { throw ClientError(detail: "only \(all)") }
            all += String(decoding: part, as: UTF8.self)
        }
        return all
    }

    /// - Parameter answer: all of it, from the head on.
    private func events(_ answer: String) -> [Event] {
        let body = answer.components(separatedBy: "\r\n\r\n").dropFirst().joined(separator: "\r\n")
        // Without the sizes of its chunks; events themselves have no carriage returns.
        let text = ("\r\n" + body).replacingOccurrences(
            of: "\r\n[0-9a-fA-F]+\r\n", with: "", options: .regularExpression)
        return text.components(separatedBy: "\n\n").compactMap { Event($0) }.filter { !$0.name.isEmpty }
    }

    @Test func aBatchTellsHowItStandsAndThenWhatHappens() throws {
        try withService { service in
            let id = try service.submitted(3)
            let job = JobID(batch: id, index: 1)
            let connection = try service.connection()
            try connection.send("GET", "/v1/batches/\(id)/events")
            let head = try read(connection, until: "event: batch")
            #expect(head.contains("Content-Type: text/event-stream"))
            #expect(head.contains("retry: 2000\n\n"))
            service.live.run([job])
            let live = service.api.liveObserver
            #expect(live.isWatching)
            live.observe(.progress(job, JobProgress(fraction: 0.5, message: "half")))
            live.observe(.progress(JobID(batch: BatchID(ULID(high: 9, low: 9)), index: 0), JobProgress(fraction: 1)))
            live.observe(
                .logged(
                    job, attempt: 1,
                    [LogLine(time: Timestamp(microseconds: 0), source: .standardOutput, text: "two\nlines")]))
            live.observe(.dropped(job, attempt: 1, count: 12))
            for _ in 0..<3 { live.observe(.changed([id])) }
            let middle = try read(connection, until: "\"running\":1")
            service.store.record([.succeeded(0, ["0", "1", "4"])], of: id)
            let rest = try connection.rest()
            let seen = events(head + middle + rest)
            #expect(
                seen.map(\.name) == [
                    "batch", "job.progress", "job.log", "job.logs_dropped", "batch", "batch", "batch.completed",
                ])
            #expect(seen[0].data["status"] as? String == "queued")
            #expect(seen[1].data["job"] as? String == "\(job)")
            #expect(seen[1].data["fraction"] as? Double == 0.5)
            #expect(seen[2].data["text"] as? String == "two\nlines")
            #expect(seen[2].data["source"] as? String == "stdout")
            #expect(seen[3].data["job"] as? String == "\(job)")
            #expect(seen[3].data["attempt"] as? Int == 1)
            #expect(seen[3].data["count"] as? Int == 12)
            #expect((seen[5].data["counts"] as? [String: Int])?["succeeded"] == 3)
            #expect(seen[6].data["finished_at"] is String)
            #expect(seen[6].id == "end")
            let numbers = seen.dropLast().compactMap { Int($0.id) }
            #expect(numbers.count == 6 && numbers == numbers.sorted())
            eventually("nobody listens") { !live.isWatching }
        }
    }

    @Test func aFinishedBatchTellsThatAndEnds() throws {
        try withService { service in
            service.store.state.withLock { $0.work = squares }
            let id = try service.submitted(1)
            eventually("it is finished") { service.store.entry(id)?.record.isFinished == true }
            let reply = try service.get("/v1/batches/\(id)/events", [("Last-Event-ID", "17")])
            #expect(events("\r\n\r\n" + reply.text).map(\.name) == ["batch", "batch.completed"])
            #expect(try service.get("/v1/batches/\(id)/events", [("Last-Event-ID", "end")]).status == 204)
            #expect(try service.get("/v1/batches/bat_00000000000000000000000000/events").status == 404)
        }
    }

    @Test func allBatchesTellFromNowOn() throws {
        try withService { service in
            let before = try service.submitted(1)
            let connection = try service.connection()
            try connection.send("GET", "/v1/events")
            let head = try read(connection, until: "retry")
            let id = try service.submitted(1)
            var text = head + (try read(connection, until: "\"status\":\"queued\""))
            service.store.record([.succeeded(0, ["0"])], of: id)
            text += try read(connection, until: "batch.completed")
            service.api.stop()
            text += try connection.rest()
            let seen = events(text)
            #expect(seen.allSatisfy { $0.data["id"] as? String == "\(id)" })
            #expect(!text.contains("\(before)"))
            #expect(seen.map(\.name) == ["batch", "batch", "batch.completed"])
        }
    }

    @Test func changesAreToldTogether() throws {
        try withService({ $0.events.interval = TimeSpan(seconds: 30) }) { service in
            let id = try service.submitted(1)
            let connection = try service.connection()
            try connection.send("GET", "/v1/batches/\(id)/events")
            var text = try read(connection, until: "event: batch")
            for _ in 0..<1000 { service.api.liveObserver.observe(.changed([id])) }
            service.store.record([.succeeded(0, ["0"])], of: id)
            text += try connection.rest()
            #expect(events(text).map(\.name) == ["batch", "batch", "batch.completed"], "the end does not wait")
        }
    }

    @Test func whatHasNotChangedIsNotToldAgain() throws {
        try withService({ $0.events.interval = .milliseconds(1) }) { service in
            let id = try service.submitted(1)
            let connection = try service.connection()
            try connection.send("GET", "/v1/batches/\(id)/events")
            var text = try read(connection, until: "event: batch")
            let reads = service.store.state.withLock { $0.reads }
            eventually("it was looked at") {
                service.api.liveObserver.observe(.changed([id]))
                return service.store.state.withLock { $0.reads } > reads + 3
            }
            service.store.record([.succeeded(0, ["0"])], of: id)
            text += try connection.rest()
            #expect(events(text).map(\.name) == ["batch", "batch", "batch.completed"])
        }
    }

    @Test func aSilentStreamShowsThatItLives() throws {
        try withService({ $0.events.heartbeat = .milliseconds(20) }) { service in
            let connection = try service.connection()
            try connection.send("GET", "/v1/events")
            _ = try read(connection, until: ": still here\n\n")
        }
    }

    @Test func thereAreOnlySoMany() throws {
        try withService({ $0.events.maximumStreams = 1 }) { service in
            let first = try service.connection()
            try first.send("GET", "/v1/events")
            _ = try read(first, until: "retry")
            let reply = try service.get("/v1/events")
            #expect(reply.status == 503)
            #expect(reply.object["type"] as? String == "/problems/too-many-streams")
            #expect(reply.header("Retry-After") != nil)
            first.close()
            eventually("there is room again") { !service.api.liveObserver.isWatching }
            let second = try service.connection()
            try second.send("GET", "/v1/events")
            _ = try read(second, until: "retry")
        }
    }

    @Test func aSlowClientLosesEventsAndNothingElse() throws {
        try withService({ $0.events.bufferBytes = 10_000 }) { service in
            let id = try service.submitted(1)
            let job = JobID(batch: id, index: 0)
            let connection = try service.connection()
            try connection.send("GET", "/v1/batches/\(id)/events")
            _ = try read(connection, until: "event: batch")
            let line = LogLine(
                time: Timestamp(microseconds: 0), source: .info, text: String(repeating: "x", count: 4000))
            for _ in 0..<20_000 { service.api.liveObserver.observe(.logged(job, attempt: 1, [line])) }
            service.store.record([.succeeded(0, ["0"])], of: id)
            let rest = try connection.rest()
            #expect(rest.contains(" events were left out\n\n"))
            #expect(rest.utf8.count < 40_000_000)
            #expect(rest.contains("event: batch.completed"))
        }
    }
}

/// Waits until something has come about on another thread.
func eventually(_ what: Comment, _ condition: () -> Bool) {
    let deadline = MonotonicTime.now() + TimeSpan(seconds: 20)
    while MonotonicTime.now() < deadline {
        if condition() { return }
        usleep(500)
    }
    Issue.record(what)
}
