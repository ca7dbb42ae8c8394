import JobModel
import Platform
import Testing
import WorkerKit

/// What a worker's death leaves of the outcomes before it: all of them, wherever they stand.
@Suite struct KeptOutcomesTests {
    private static let functions = """
        import os

        def do(size):
            if size == 0: raise ValueError("no")
            if size < 0: os._exit(9)
            return "x" * size
        """

    /// Bytes of results, with quotation marks and comma, that fit behind one header.
    private static let room = SharedPage.regionSize - 9

    @Test(arguments: [
        [[1, 2, 3]], [[1, 0, 2]], [[0, 0, 5], [6]], [[1], [2, 0], [0], [3, 4]], [[300_000, 5]], [[5, 300_000, 0]],
        [[64_000, 64_000, room - 2 * 64_003 - 3]], [[64_000, 64_000, room - 2 * 64_003 - 2, 1]],
        [[room - 3, 1]], [[room - 2, 1]], [[room - 3, 0, 7]], [Array(repeating: 9, count: 30_000)],
        // What was sent before stands in the same places as what comes after: it must be gone.
        [Array(repeating: 5, count: 40_000)],
        [[room - 20, 0, 1, 2], [3]], [[1, room - 8]],
    ])
    func aDeathTakesNoneWithIt(_ parts: [[Int]]) throws {
        // In a part of its own, and behind the others of the last one.
        try check(parts, dyingIn: parts + [[-1, 8]])
        try check(parts, dyingIn: parts.dropLast() + [parts[parts.count - 1] + [-1, 8]])
    }

    private func check(_ parts: [[Int]], dyingIn all: [[Int]]) throws {
        let (zygote, worker) = try TestZygote.worker(Self.functions, functions: ["do"])
        var first = 0
        let sent = all.map { sizes in
            defer { first += sizes.count }
            return TestWorker.part(sizes.map(String.init), first: first)
        }
        let course = try worker.run("do", sent)
        #expect(!course.isDone)
        #expect(try zygote.exit().exitCode == 9)
        let unsent = try worker.page.unsentOutcomes(of: 1)
        #expect(unsent.runs.isEmpty || unsent.first == course.finished)
        let sizes = (course.runs + unsent.runs).flatMap { run in
            guard case .succeeded(_, let body) = run else { return [0] }
            return body.split(separator: UInt8(ascii: ",")).map { $0.count - 2 }
        }
        #expect(sizes == parts.flatMap(\.self))
        #expect(worker.page.runningJob()?.position == sizes.count)
    }
}
