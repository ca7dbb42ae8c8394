import JobModel
import Platform
import Testing

@testable import WorkerKit

/// Handlers that wait with `await`. They run in workers, whose main thread is theirs to block; a test's thread is not.
@Suite struct AsyncHandlerTests {
    @Test(arguments: [
        ("async-plain", "[2,3,4]", "!the payload is not an integer"),
        ("async-prepared", "[11,12,13]", "!the payload is not an integer"),
        ("async-own", "[101,102,103]", "!the payload is not an integer"),
        ("async-both", "[1,3,6]", "!the payload is not an integer"),
        ("async-raw", "[7,7,7]", "21"), ("async-raw-prepared", "[8,8,8]", "24"),
        ("async-raw-both", "[18,18,18]", "54"),
    ]) func areWaitedFor(name: String, three: String, text: String) throws {
        let (zygote, worker) = try TestZygote.worker([name])
        let results = try worker.server.results(1, name, ["1", "2", "3"])
        #expect("[" + results.joined(separator: ",") + "]" == three)
        #expect(try worker.server.results(2, name, ["\"a\""]) == [text])
        _ = zygote
    }

    @Test func whatTheyThrowFailsTheirJob() throws {
        let (zygote, worker) = try TestZygote.worker(["async-failing", "async-broken"])
        #expect(try worker.server.results(1, "async-failing", ["1"]) == ["!too late"])
        #expect(
            try worker.server.results(2, "async-broken", ["1"]) == ["!the handler's result is not one valid JSON value"]
        )
        _ = zygote
    }

    @Test func runOneAfterTheOtherAndSpeakFromAnyThread() throws {
        let (zygote, worker) = try TestZygote.worker(["async-crowd"])
        let payloads = [String](repeating: "50", count: 20)
        let ones = try worker.server.results(1, "async-crowd", payloads)
        #expect(ones.joined(separator: ",") == [String](repeating: "1", count: 20).joined(separator: ","))
        var sum: Int64 = 0
        for case .counted(1, _, _, let deltas) in worker.server.frames { sum += deltas.reduce(0) { $0 + $1.amount } }
        #expect(sum == 1000)
        _ = zygote
    }
}
