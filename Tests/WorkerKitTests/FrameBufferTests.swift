import Glibc
import Platform
import Testing

@testable import WorkerKit

@Suite struct FrameBufferTests {
    private func frame(_ body: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt32(body.count))
        writer.put(bytes: body)
        return writer.bytes
    }

    @Test func cutsAStreamIntoFrames() throws {
        let pair = try SocketPair()
        var buffer = FrameBuffer(limit: 1 << 20)
        let bodies: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 7, count: 200_000), [9]]
        let stream = bodies.flatMap(frame)
        var received: [[UInt8]] = []
        var sent = 0
        // Pieces of odd sizes: frames begin and end anywhere in them.
        for size in [1, 2, 6, 70_001, 65_536, 3] + [Int](repeating: 9973, count: 20) {
            let piece = Array(stream[sent..<min(stream.count, sent + size)])
            if piece.isEmpty { break }
            sent += piece.count
            try piece.withUnsafeBytes { try SocketTransfer.sendAll(pair.left.rawValue, $0) }
            var left = piece.count
            while left > 0 {
                guard case .bytes(let count) = try buffer.fill(from: pair.right.rawValue) else { break }
                left -= count
                while let body = try buffer.next({ (raw) throws(ProtocolViolation) in Array(raw) }) {
                    received.append(body)
                }
            }
        }
        #expect(received == bodies)
        #expect(!buffer.holdsRest)
    }

    @Test func refusesAFrameOverItsLimitBeforeItComes() throws {
        let pair = try SocketPair()
        var buffer = FrameBuffer(limit: 100)
        try [UInt8]([101, 0, 0, 0]).withUnsafeBytes { try SocketTransfer.sendAll(pair.left.rawValue, $0) }
        _ = try buffer.fill(from: pair.right.rawValue)
        #expect(throws: ProtocolViolation.self) { try buffer.next { (_) throws(ProtocolViolation) in } }
    }

    @Test func saysWhenThereIsNothingAndWhenItIsOver() throws {
        let (left, right) = try SocketPair().split()
        let reader = Descriptor(adopting: right)
        try reader.setNonBlocking()
        var buffer = FrameBuffer(limit: 100)
        #expect(try buffer.fill(from: reader.rawValue) == .nothing)
        close(left)
        #expect(try buffer.fill(from: reader.rawValue) == .end)
    }
}
