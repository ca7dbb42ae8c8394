import JobModel
import Synchronization

@testable import Scheduling

/// A runner that answers as a test says, at once and on the thread that asks, or not at all.
final class ScriptedRunner: ChunkRunner {
    typealias Script = @Sendable (Chunk) -> [ChunkEvent]

    private struct State {
        var started: [Chunk] = []
        var cancelled: [UInt64] = []
        var aborted: [UInt64] = []
        var recalled: [UInt64] = []
        var pauses: [Bool] = []
        var listener: (@Sendable (ChunkEvent) -> Void)?
    }

    let slots: Int
    private let script: Script
    private let state = Mutex(State())

    init(slots: Int = 2, script: @escaping Script = { _ in [] }) {
        self.slots = slots
        self.script = script
    }

    /// Every job succeeds with its own index.
    static let success: Script = { chunk in
        [
            .outcomes(chunk: chunk.id, position: 0, runs: chunk.successes),
            .ended(chunk: chunk.id, .completed(busy: 1e-6 * Double(chunk.count))),
        ]
    }

    func listen(_ listener: @escaping @Sendable (ChunkEvent) -> Void) { state.withLock { $0.listener = listener } }

    func tell(_ events: [ChunkEvent]) {
        let listener = state.withLock { $0.listener }
        for event in events { listener?(event) }
    }

    func run(_ chunk: Chunk) {
        state.withLock { $0.started.append(chunk) }
        tell(script(chunk))
    }

    /// Like a real one: the chunk comes back, if it has not ended.
    func cancel(_ chunk: UInt64) {
        state.withLock { $0.cancelled.append(chunk) }
        tell([.ended(chunk: chunk, .returned)])
    }

    func abort(_ chunk: UInt64) {
        state.withLock { $0.aborted.append(chunk) }
        tell([.ended(chunk: chunk, .returned)])
    }

    /// It is left to the test what comes back.
    func recall(_ chunk: UInt64) { state.withLock { $0.recalled.append(chunk) } }

    func pause() { state.withLock { $0.pauses.append(true) } }
    func resume() { state.withLock { $0.pauses.append(false) } }

    /// Whether it was paused (true) or resumed (false), in order.
    var pauses: [Bool] { state.withLock { $0.pauses } }
    var started: [Chunk] { state.withLock { $0.started } }
    var cancelled: [UInt64] { state.withLock { $0.cancelled } }
    var aborted: [UInt64] { state.withLock { $0.aborted } }
    var recalled: [UInt64] { state.withLock { $0.recalled } }
}
