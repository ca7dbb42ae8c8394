import JobModel
import Platform
import Testing
import WorkerKit

@testable import WorkerPool

/// What handlers print, against real processes.
@Suite struct OutputTests {
    @Test func whatAJobPrintsIsItsLog() throws {
        let test = try TestPool()
        _ = try test.run(TestPool.chunk(1, "print", ["\"hällo\""]))
        let lines = test.lines(of: 1)
        #expect(lines.filter { $0.source == .standardOutput }.map(\.text) == ["out: hällo"])
        #expect(lines.filter { $0.source == .standardError }.map(\.text) == ["err: hällo"])
        #expect(lines.allSatisfy { $0.time.microseconds > 1_700_000_000_000_000 })
        _ = try test.run(TestPool.chunk(2, "print", ["\"again\""]))
        #expect(test.lines(of: 1).count == 2)
        #expect(Set(test.lines(of: 2).map(\.text)) == ["out: again", "err: again"])
    }

    /// With its last outcome a batch ends: what comes behind it would be lost.
    @Test func whatAJobPrintsIsHeardBeforeItsOutcome() throws {
        let test = try TestPool()
        for id in 1...50 as ClosedRange<UInt64> {
            _ = try test.run(TestPool.chunk(id, "print", ["\"now\""]))
            #expect(test.order(of: id).last == "outcome")
            #expect(test.lines(of: id).count == 2)
        }
    }

    @Test func aFloodIsCutAndBlocksNobody() throws {
        let test = try TestPool()
        #expect(try test.run(TestPool.chunk(1, "flood", ["100000"], timeout: 60)).results == ["100000"])
        let lines = test.lines(of: 1)
        #expect(lines.count >= 200)
        #expect(lines.count < 2000)
        #expect(lines.first?.text == "line 0 of a flood that nobody wants to read to its end")
        #expect(lines.allSatisfy { $0.source == .standardOutput })
        #expect(test.lineCounts(of: 1)[0]?.all == 100_000, "what is missing is counted")
    }

    @Test func whatAWorkerHoldsBackIsCountedForItsJob() throws {
        let test = try TestPool()
        _ = try test.run(TestPool.chunk(1, "chatter", ["3000", "7", "500"]))
        let counts = test.lineCounts(of: 1)
        #expect([0, 1, 2].map { counts[$0]?.all } == [3000, 7, 500])
        #expect((counts[0]?.dropped ?? 0) > 0)
        #expect(test.lines(of: 1).allSatisfy { $0.source == .info }, "it is told as a number, not as a line")
        #expect(test.order(of: 1).last == "outcome")
    }

    @Test func whatIsHeldBackIsCountedAlsoWhenTheWorkerDies() throws {
        let test = try TestPool()
        let (position, _) = try test.interruption(TestPool.chunk(1, "chatter", ["5", "-3000"]))
        #expect(position == 1)
        let counts = test.lineCounts(of: 1)
        #expect([0, 1].map { counts[$0]?.all } == [5, 3000])
    }

    @Test func aJobThatIsSilentAfterAFloodIsCountedWhileItRuns() throws {
        let test = try TestPool()
        test.pool.run(TestPool.chunk(1, "babble", ["500"]))
        try eventually("all lines are told of") { test.lineCounts(of: 1)[0]?.all == 500 }
        #expect((test.lineCounts(of: 1)[0]?.dropped ?? 0) > 100)
        test.pool.cancel(1)
        _ = try test.report(of: 1)
        #expect(test.lineCounts(of: 1)[0]?.all == 500, "each once")
    }

    @Test func theLastWordsAreOnTheCertificate() throws {
        let test = try TestPool()
        _ = try test.run(TestPool.chunk(1, "print", ["\"somebody else's\""]))
        let text = String(repeating: "x", count: 3000) + "the end"
        let (_, failure) = try test.interruption(TestPool.chunk(2, "complain", ["\"\(text)\""]))
        #expect(failure.death?.signal == "SIGABRT")
        #expect(failure.death?.standardError == String(text.suffix(2048)))
        let (_, silent) = try test.interruption(TestPool.chunk(3, "crash", ["null"]))
        #expect(silent.death?.standardError == nil)
    }
}

@Suite struct LineSplitterTests {
    private func lines(_ pieces: [[UInt8]], isFlushed: Bool = true) -> [String] {
        var splitter = LineSplitter()
        var lines: [String] = []
        for piece in pieces {
            piece.withUnsafeBytes { splitter.add($0) { lines.append(LineSplitter.text($0)) } }
        }
        if isFlushed { splitter.flush { lines.append(LineSplitter.text($0)) } }
        return lines
    }

    @Test func cutsAtTheEndsOfLines() {
        #expect(lines([Array("a\n\nb\r\nc".utf8)]) == ["a", "", "b", "c"])
        #expect(lines([Array("a".utf8), Array("b\nc".utf8)], isFlushed: false) == ["ab"])
        #expect(lines([]) == [])
    }

    @Test func repairsWhatIsNoText() {
        #expect(lines([[0x61, 0xFF, 0x62, 0x0A]]) == ["a\u{FFFD}b"])
        let broken = lines([[UInt8](repeating: 0xFF, count: 4096) + [0x0A]])
        #expect(broken.count == 1)
        #expect(broken[0].utf8.count <= LogLine.textLimit)
    }

    @Test func cutsLinesThatAreTooLong() {
        let long = lines([[UInt8](repeating: 0x78, count: 10_000), [0x0A]])
        #expect(long.map(\.utf8.count) == [4096, 4096, 1808])
        // "é" has two bytes, and 4,096 is even: with one byte before them, one would be cut in two.
        let accents = lines([Array(("a" + String(repeating: "é", count: 3000)).utf8)])
        #expect(accents.joined() == "a" + String(repeating: "é", count: 3000))
        #expect(accents[0].utf8.count == 4095)
    }
}

@Suite struct LogBudgetTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime { StateHarness.at(milliseconds) }

    @Test func allowsABurstAndThenSoManyASecond() {
        var budget = LogBudget(now: at(0))
        #expect((0..<300).count { _ in budget.takes(bytes: 10, now: at(0)) } == 200)
        #expect((0..<300).count { _ in budget.takes(bytes: 10, now: at(1000)) } == 50)
        #expect((0..<300).count { _ in budget.takes(bytes: 10, now: at(3_600_000)) } == 200)
    }

    @Test func countsBytesToo() {
        var budget = LogBudget(now: at(0))
        #expect((0..<100).count { _ in budget.takes(bytes: 4096, now: at(0)) } == 16)
        #expect((0..<100).count { _ in budget.takes(bytes: 4096, now: at(500)) } == 8)
    }
}

@Suite struct OutputTailTests {
    @Test func keepsTheEnd() {
        var tail = OutputTail()
        #expect(tail.text() == nil)
        for number in 0..<5000 {
            add("\(number % 10)", at: Int64(number), to: &tail)
        }
        #expect(tail.text()?.count == 2048)
        #expect(tail.text()?.last == "9")
        add("a" + String(repeating: "é", count: 2000) + "b", at: 5000, to: &tail)
        #expect(tail.text()?.last == "b")
        #expect(tail.text()?.first == "é")
        add(String(repeating: "x", count: 300_000) + "y", at: 5001, to: &tail)
        #expect(tail.text()?.last == "y")
        tail.clear()
        #expect(tail.text() == nil)
    }

    @Test func knowsWhatCameWhen() {
        var tail = OutputTail()
        #expect(tail.text(since: mark(0), until: mark(0)) == nil)
        for (time, text) in [(Int64(10), "one"), (20, "two"), (30, "three")] { add(text, at: time, to: &tail) }
        #expect(tail.text(since: mark(10)) == "twothree")
        #expect(tail.text(since: mark(10), until: mark(20)) == "two")
        #expect(tail.text(since: mark(9), until: mark(10)) == "one")
        #expect(tail.text(since: mark(10, unread: 1), until: mark(20, unread: 2)) == "woth")
        #expect(tail.text(since: mark(30)) == nil)
        #expect(tail.text(since: mark(20), until: mark(20)) == nil)
        // Begun before the mark and ended behind it: nobody knows on which side it was.
        Array("four".utf8).withUnsafeBytes { tail.add($0, from: StateHarness.at(40), to: StateHarness.at(42)) }
        #expect(tail.text(since: mark(41)) == "four")
        #expect(tail.text(since: mark(30), until: mark(41)) == "four")
    }

    @Test func forgetsWhatWasLongAgo() {
        var tail = OutputTail()
        for time in 0..<2000 as Range<Int64> { add("x", at: time, to: &tail) }
        #expect(tail.text(since: mark(0), until: mark(20)) == nil, "too long ago")
        #expect(tail.text(since: mark(20))?.count == 2000)
        #expect(tail.text(since: mark(1989))?.count == 10)
        tail.clear()
        add("new", at: 3000, to: &tail)
        #expect(tail.text(since: mark(1989)) == "new")
    }

    private func mark(_ time: Int64, unread: Int = 0) -> ErrorsMark {
        ErrorsMark(time: StateHarness.at(time), unread: unread)
    }

    private func add(_ text: String, at time: Int64, to tail: inout OutputTail) {
        Array(text.utf8).withUnsafeBytes { tail.add($0, from: StateHarness.at(time), to: StateHarness.at(time)) }
    }
}
