import JobModel
import JobStore
import Testing

/// What a running job says of itself.
struct LiveJobTests {
    private func line(_ text: String, at time: Int64 = 1_700_000_000_000_000) -> LogLine {
        LogLine(time: Timestamp(microseconds: time), source: .warning, text: text)
    }

    @Test func isShown() throws {
        try withService { service in
            let id = try service.submitted(2)
            let job = JobID(batch: id, index: 1)
            service.live.set(JobProgress(fraction: 0.25, message: "a \"quarter\""), of: job)
            service.live.set([JobLog(index: 1, attempt: 2, lines: [line("now")], dropped: 3)], of: job)
            service.store.change(id) { entry in
                entry.logs = [
                    JobLog(index: 0, attempt: 1, lines: [line("of another")]),
                    JobLog(index: 1, attempt: 1, lines: [line("before")], dropped: 1),
                ]
            }
            #expect(try service.get("/v1/jobs/\(job)").text.contains("\"progress\":null"), "it does not run")
            service.live.run([job])
            let reply = try service.get("/v1/jobs/\(job)")
            #expect(reply.text.contains("\"progress\":{\"fraction\":0.25,\"message\":\"a \\\"quarter\\\"\"}"))
            let logs = try #require(reply.object["logs"] as? [[String: Any]])
            #expect(logs.compactMap { $0["text"] as? String } == ["before", "now"])
            #expect(logs.compactMap { $0["attempt"] as? Int } == [1, 2])
            #expect(logs[0]["time"] as? String == "2023-11-14T22:13:20.000Z")
            #expect(logs[0]["source"] as? String == "warning")
            #expect(reply.object["logs_dropped"] as? Int == 4)
        }
    }

    @Test func linesThatWereLeftOutAreCountedOnce() throws {
        try withService { service in
            let id = try service.submitted(1)
            let job = JobID(batch: id, index: 0)
            service.live.run([job])
            // What a job has lost: on its way into the store, there already though nobody knows, and there.
            let steps: [(stored: [Int], live: [Int])] = [
                ([], [3]), ([], [3, 5]), ([3], [3, 5]), ([5], [3, 5]), ([5], []), ([5], [6]), ([6], []),
            ]
            var seen: [Int?] = []
            for step in steps {
                service.live.set(
                    step.live.map { JobLog(index: 0, attempt: 2, lines: [], dropped: 1, droppedSoFar: $0) }, of: job)
                service.store.change(id) { entry in
                    entry.logs = [JobLog(index: 0, attempt: 1, lines: [], dropped: 10)]
                    entry.logs += step.stored.map { JobLog(index: 0, attempt: 2, lines: [], dropped: $0) }
                }
                seen.append(try service.get("/v1/jobs/\(job)").object["logs_dropped"] as? Int)
            }
            #expect(seen == [13, 15, 15, 15, 15, 16, 16])
        }
    }

    @Test func aLineThatIsCommittedMeanwhileIsShownOnce() throws {
        try withService { service in
            let id = try service.submitted(1)
            let job = JobID(batch: id, index: 0)
            service.live.run([job])
            service.live.set([JobLog(index: 0, attempt: 1, lines: [line("a"), line("b", at: 1)])], of: job)
            service.store.change(id) { $0.logs = [JobLog(index: 0, attempt: 1, lines: [line("a")])] }
            let logs = try service.get("/v1/jobs/\(job)").object["logs"] as? [[String: Any]]
            #expect(logs?.compactMap { $0["text"] as? String } == ["a", "b"])
        }
    }
}
