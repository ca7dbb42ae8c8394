package import Platform

/// Collects bytes from a stream socket and cuts them into frames.
package struct FrameBuffer {
    private static let usualCapacity = 64 * 1024

    private let limit: Int
    private var storage: [UInt8]
    private var start = 0
    private var end = 0

    /// - Parameter limit: how long a frame may be, without its length.
    package init(limit: Int) {
        self.limit = limit
        storage = [UInt8](repeating: 0, count: FrameBuffer.usualCapacity)
    }

    /// Whether there are bytes of a frame that is not complete.
    package var holdsRest: Bool { start < end }

    /// Receives once.
    package mutating func fill(from socket: Int32) throws(SystemError) -> SocketTransfer.Received {
        makeRoom()
        let used = end
        var space = storage.mutableSpan
        let received = try space.withUnsafeMutableBytes { (raw) throws(SystemError) in
            try SocketTransfer.receive(socket, into: UnsafeMutableRawBufferPointer(rebasing: raw[used...]))
        }
        if case .bytes(let count) = received { end += count }
        return received
    }

    /// Calls `body` with the next complete frame, without its length; nil if there is none yet. The bytes are valid during the
    /// call only.
    package mutating func next<Result>(
        _ body: (UnsafeRawBufferPointer) throws(ProtocolViolation) -> Result
    ) throws(ProtocolViolation) -> Result? {
        guard let length = try pendingLength(), end - start >= 4 + length else { return nil }
        let range = (start + 4)..<(start + 4 + length)
        start = range.upperBound
        return try storage.span.withUnsafeBytes { (raw) throws(ProtocolViolation) in
            try body(UnsafeRawBufferPointer(rebasing: raw[range]))
        }
    }

    private func pendingLength() throws(ProtocolViolation) -> Int? {
        guard end - start >= 4 else { return nil }
        let length = storage.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
        }
        guard length <= limit else {
            throw ProtocolViolation("a frame of \(length) bytes is over the limit of \(limit)")
        }
        return length
    }

    /// Makes sure that there is free space behind `end`, for all of the frame that has begun if its length is known.
    private mutating func makeRoom() {
        // A length over the limit was refused by `next` before anybody asks for more.
        let pending = ((try? pendingLength()) ?? nil) ?? 0
        let needed = max(4 + pending, end - start + 1)
        if start == end {
            start = 0
            end = 0
            // Space for an unusually large frame is not kept.
            if storage.count > 16 * FrameBuffer.usualCapacity && needed <= FrameBuffer.usualCapacity {
                storage = [UInt8](repeating: 0, count: FrameBuffer.usualCapacity)
            }
        }
        guard start + needed > storage.count else { return }
        let rest = storage[start..<end]
        if needed > storage.count {
            storage = rest + [UInt8](repeating: 0, count: max(needed, FrameBuffer.usualCapacity) - rest.count)
        } else {
            storage.replaceSubrange(0..<rest.count, with: Array(rest))
        }
        end -= start
        start = 0
    }
}
