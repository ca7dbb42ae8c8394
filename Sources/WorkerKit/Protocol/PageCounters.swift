package import JobModel
import Platform

/// The additions to counters that a worker has not sent yet, as they stand on its page: entries of 64 bytes, each an amount (8
/// bytes), the length of a name (1 byte), and the name.
package struct PageCounters: Hashable, Sendable {
    /// Different counters that the page has room for.
    static let capacity = 64

    /// The number that the frame with these additions will have; from 1.
    package var sequence: UInt64
    /// A job of the part of the chunk that they belong to.
    package var position: Int
    package var deltas: [CounterDelta]

    fileprivate static let entries = 128
    fileprivate static let entrySize = 64

    fileprivate enum Word {
        static let sequence = 40
        static let count = 48
        static let position = 56
    }
}

extension SharedPage {
    // MARK: The worker's side

    /// No additions; the next frame of counters has this number.
    func restartCounters(sequence: UInt64) {
        // Who finds the new number finds no entries, too, or those that go with it.
        memory.storeWord(0, at: PageCounters.Word.count)
        memory.storeWord(sequence, at: PageCounters.Word.sequence)
    }

    /// The first entry goes to `index` 0, the others behind it.
    /// - Parameter name: valid, see `CounterDelta.isValid`.
    func addCounter(_ name: String, amount: Int64, at index: Int, position: Int) {
        let offset = PageCounters.entries + index * PageCounters.entrySize
        if index == 0 { memory.storeWord(UInt64(position), at: PageCounters.Word.position) }
        memory.storeWord(UInt64(bitPattern: amount), at: offset)
        var name = name
        name.withUTF8 { text in
            withUnsafeBytes(of: UInt8(text.count)) { memory.write($0, at: offset + 8) }
            memory.write(UnsafeRawBufferPointer(text), at: offset + 9)
        }
        memory.storeWord(UInt64(index + 1), at: PageCounters.Word.count)
    }

    func setCounter(_ amount: Int64, at index: Int) {
        memory.storeWord(
            UInt64(bitPattern: amount), at: PageCounters.entries + index * PageCounters.entrySize)
    }

    // MARK: The server's side

    /// The additions that a dead worker left; nil if there are none. They were sent before if a frame with their number, or a
    /// later one, has come.
    package func unsentCounters() throws(ProtocolViolation) -> PageCounters? {
        let count = memory.loadWord(at: PageCounters.Word.count)
        guard count <= PageCounters.capacity else { throw ProtocolViolation("\(count) counters on the shared page") }
        guard count > 0 else { return nil }
        var deltas: [CounterDelta] = []
        for index in 0..<Int(count) {
            let offset = PageCounters.entries + index * PageCounters.entrySize
            let amount = Int64(bitPattern: memory.loadWord(at: offset))
            let text = memory.withBytes((offset + 8)..<(offset + PageCounters.entrySize)) { Array($0) }
            guard let name = String(validating: text.dropFirst().prefix(Int(text[0])), as: UTF8.self),
                CounterDelta.isValid(name: name)
            else {
                throw ProtocolViolation("a counter with a bad name on the shared page")
            }
            deltas.append(CounterDelta(name: name, amount: amount))
        }
        return PageCounters(
            sequence: memory.loadWord(at: PageCounters.Word.sequence),
            position: Int(clamping: memory.loadWord(at: PageCounters.Word.position)), deltas: deltas)
    }
}
