package import JobModel
package import Logging
import Platform
import Synchronization

/// Forked worker processes that run chunks of jobs.
///
/// All events come from one thread of the pool's own. What state it is in is decided by `PoolState`; what that wants is
/// carried out by `PoolLoop` on the thread, but for the sending of chunks, which the caller of `run` does itself.
package final class Pool: Service {
    package let name = "pool"

    private let configuration: PoolConfiguration
    private let logger: Logger
    private let onEvent: @Sendable (ChunkEvent) -> Void
    private let onFatal: @Sendable (String) -> Void
    private let running = Mutex<Running?>(nil)

    private struct Running: Sendable {
        let shared: SharedPool
        let thread: OwnedThread
    }

    /// - Parameters:
    ///   - onEvent: called on the pool's thread, which waits for it: hand the event on and return. It may call `run`,
    ///     `recall` and `cancel`, but not `stop`.
    ///   - onFatal: called at most once, on the pool's thread, with a sentence that says why the pool has failed for good;
    ///     nothing runs from then on. It must not call `stop`.
    package init(
        configuration: PoolConfiguration, logger: Logger, onEvent: @escaping @Sendable (ChunkEvent) -> Void,
        onFatal: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onEvent = onEvent
        self.onFatal = onFatal
    }

    /// Starts the zygotes, which prepare the handlers and fork the workers; `.slots` says when the first can be used. Throws if
    /// none of them can be started.
    ///
    /// From here on this process adopts descendants that lose their parent, so that it can reap the workers of a zygote that
    /// has died.
    package func start() throws {
        try CurrentProcess.adoptOrphans()
        let shared = try SharedPool(configuration)
        let outcome = Monitor<Result<Void, SystemError>?>(nil)
        let thread = try OwnedThread(name: name) { [configuration, logger, onEvent, onFatal] in
            do throws(SystemError) {
                let loop = try PoolLoop(
                    configuration, shared: shared, logger: logger, onEvent: onEvent, onFatal: onFatal)
                outcome.withLock { $0 = .success(()) }
                outcome.notify()
                loop.run()
            } catch {
                outcome.withLock { $0 = .failure(error) }
                outcome.notify()
            }
        }
        let result = outcome.wait { result in result.map { .done($0) } ?? .sleep(until: nil) }
        if case .failure(let error) = result {
            thread.join()
            throw error
        }
        running.withLock { $0 = Running(shared: shared, thread: thread) }
    }

    /// Kills what still runs, which ends as `.returned`, and returns when all processes are gone.
    package func stop() {
        guard let running = running.withLock({ $0 }) else { return }
        running.shared.stop()
        running.thread.join()
    }

    /// How many chunks can run at once now; 0 while no worker can be had.
    package var slots: Int { running.withLock { $0 }?.shared.availableSlots ?? 0 }

    /// Runs a chunk on a free worker, or on the next one that becomes free. Callers keep to the number of slots.
    package func run(_ chunk: Chunk) {
        guard let running = running.withLock({ $0 }) else { return onEvent(.ended(chunk: chunk.id, .returned)) }
        running.shared.update { state, now in state.run(chunk, now: now) }
    }

    /// Ends a chunk: SIGTERM to its worker's process group, SIGKILL after the grace period. Unknown chunks are ignored.
    ///
    /// The chunk's end is heard of when the worker is dead. If a job was running, it is `.interrupted` with a failure of the
    /// kind `cancelled`, which says how the worker ended and charges nobody; otherwise `.returned`.
    package func cancel(_ chunk: UInt64) {
        running.withLock { $0 }?.shared.update { state, now in state.cancel(chunk, now: now) }
    }

    /// The same for somebody in a hurry: SIGKILL follows SIGTERM after a moment, also where it was to follow later.
    package func abort(_ chunk: UInt64) {
        running.withLock { $0 }?.shared.update { state, now in state.cancel(chunk, isUrgent: true, now: now) }
    }

    /// Has a chunk end before its next job: the one that runs goes on to its end, and what has not begun comes back with `.returned`.
    /// Unknown chunks are ignored.
    package func recall(_ chunk: UInt64) {
        running.withLock { $0 }?.shared.update { state, now in state.recall(chunk, now: now) }
    }

    /// Stops reading what workers send: they wait as soon as their sockets are full, and no job is charged for that time.
    /// For a consumer that cannot keep up with outcomes.
    package func pause() { running.withLock { $0 }?.shared.setPaused(true) }

    /// Goes on reading.
    package func resume() { running.withLock { $0 }?.shared.setPaused(false) }

    /// Changes the number of workers, for good: what the system allows is not followed any more. Workers that are too many
    /// end when they have nothing to do.
    package func resize(to slots: Int) {
        running.withLock { $0 }?.shared.update { state, now in state.resize(to: slots, now: now) }
    }

    /// Replaces all runtimes while the pool goes on. Each new one is prepared beside those that serve its handlers, and takes over
    /// when its first worker is ready; workers of the old ones finish their chunks and end. Handlers that are not in the new
    /// ones are gone at once. `.loaded` says for which handlers that was done, or why it could not be done: then they are served
    /// as before. Of handlers that are new, `.health` says in any case how they are.
    /// - Parameters:
    ///   - runtimes: at least one; each handler is in one of them.
    ///   - generation: the number of this reload, which `.loaded` brings back.
    package func reload(_ runtimes: [RuntimeDefinition], generation: Int) {
        running.withLock { $0 }?.shared.reload(SharedPool.Reload(runtimes: runtimes, generation: generation))
    }

    /// What the pool looks like now. Not from the pool's thread (`onEvent`), which it waits for.
    package func snapshot() -> PoolSnapshot {
        running.withLock { $0 }?.shared.snapshot() ?? PoolSnapshot(size: 0, workers: [], runtimes: [])
    }
}
