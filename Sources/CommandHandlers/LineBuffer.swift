import Glibc
import Platform

/// Collects what a pipe brings, and cuts it into lines.
struct LineBuffer {
    private static let usualCapacity = 64 * 1024

    private var storage = [UInt8](repeating: 0, count: usualCapacity)
    private var start = 0
    private var end = 0
    /// Up to where no line end was found.
    private var searched = 0

    /// Bytes of a line that is not complete, or not taken.
    var rest: ArraySlice<UInt8> { storage[start..<end] }

    /// Reads once.
    mutating func fill(from pipe: Int32) -> SocketTransfer.Received {
        makeRoom()
        let used = end
        var space = storage.mutableSpan
        let received = space.withUnsafeMutableBytes {
            Pipe.read(pipe, into: UnsafeMutableRawBufferPointer(rebasing: $0[used...]))
        }
        if case .bytes(let count) = received { end += count }
        return received
    }

    /// The next complete line without its end.
    mutating func next() -> [UInt8]? {
        let found: Int? = storage.withUnsafeBytes { raw in
            guard let base = raw.baseAddress, searched < end,
                let place = memchr(base + searched, 0x0A, end - searched)
            else { return nil }
            return UnsafeRawPointer(place) - base
        }
        guard let found else {
            searched = end
            return nil
        }
        let line = Array(storage[start..<found])
        start = found + 1
        searched = start
        return line
    }

    private mutating func makeRoom() {
        if start == end {
            start = 0
            end = 0
            searched = 0
            if storage.count > 16 * LineBuffer.usualCapacity {
                storage = [UInt8](repeating: 0, count: LineBuffer.usualCapacity)
            }
        }
        guard end == storage.count else { return }
        if start > 0 {
            let rest = Array(storage[start..<end])
            storage.replaceSubrange(0..<rest.count, with: rest)
            searched -= start
            end = rest.count
            start = 0
        } else {
            storage += [UInt8](repeating: 0, count: storage.count)
        }
    }
}
