import JobModel
import Platform
import Testing

@testable import WorkerKit

@Suite final class PageCountersTests {
    private let page: SharedPage
    private let memory: SharedMemory

    init() throws {
        let file = try SharedPage.makeFile()
        page = try SharedPage(mapping: file)
        memory = try SharedMemory(mapping: file, size: SharedPage.size)
    }

    @Test func additionsStandOnThePageUntilTheyAreSent() throws {
        #expect(try page.unsentCounters() == nil)
        page.restartCounters(sequence: 7)
        #expect(try page.unsentCounters() == nil)
        let longest = String(repeating: "x", count: CounterDelta.nameLimit)
        page.addCounter("pages", amount: 2, at: 0, position: 40)
        page.addCounter(longest, amount: .min, at: 1, position: 40)
        page.setCounter(5, at: 0)
        #expect(
            try page.unsentCounters()
                == PageCounters(
                    sequence: 7, position: 40,
                    deltas: [CounterDelta(name: "pages", amount: 5), CounterDelta(name: longest, amount: .min)]))
        page.restartCounters(sequence: 8)
        #expect(try page.unsentCounters() == nil)
        page.addCounter("b", amount: 1, at: 0, position: 41)
        #expect(
            try page.unsentCounters()
                == PageCounters(sequence: 8, position: 41, deltas: [CounterDelta(name: "b", amount: 1)]))
    }

    @Test func thereIsRoomForAllOfThemBesideTheOutcomes() throws {
        page.restartCounters(sequence: 1)
        page.begin(chunk: 1)
        for index in 0..<PageCounters.capacity {
            page.addCounter("c\(index)", amount: Int64(index), at: index, position: 0)
        }
        Array("12345".utf8).withUnsafeBytes { page.write($0, at: 9) }
        page.commit(SharedPage.Commit(openBytes: 5, openCount: 1))
        #expect(
            try page.unsentCounters()?.deltas
                == (0..<64).map { CounterDelta(name: "c\($0)", amount: Int64($0)) })
        #expect(try page.unsentOutcomes(of: 1).runs == [.succeeded(count: 1, body: Array("12345".utf8))])
    }

    @Test func garbageIsRefused() throws {
        page.restartCounters(sequence: 1)
        page.addCounter("a", amount: 1, at: 0, position: 0)
        for count: UInt64 in [65, .max] {
            memory.storeWord(count, at: 48)
            #expect(throws: ProtocolViolation.self) { _ = try page.unsentCounters() }
        }
        memory.storeWord(1, at: 48)
        // Lengths of names: none, behind the entry's end; then a name that is none.
        for word: UInt64 in [0, 56, 255, 0x2001, 0xFF01] {
            memory.storeWord(word, at: 136)
            #expect(throws: ProtocolViolation.self, "\(word)") { _ = try page.unsentCounters() }
        }
        memory.storeWord(0x6101, at: 136)
        #expect(try page.unsentCounters()?.deltas == [CounterDelta(name: "a", amount: 1)])
    }
}
