package import JobModel
package import Platform
package import WorkerKit

extension PoolState {
    /// What the pool's shell has to do.
    package enum Action: Hashable, Sendable {
        case spawnZygote(runtime: Int)
        /// It does not answer; `zygoteEnded` follows.
        case killZygote(runtime: Int)
        case fork(worker: UInt32, runtime: Int)
        case send(worker: UInt32, Assignment)
        /// Have the worker start no further job of the chunk; `completed` follows.
        case recall(worker: UInt32, chunk: UInt64)
        /// Signal the worker's process group.
        case kill(worker: UInt32, signal: Int32)
        /// Send nothing more to it: a worker ends by itself when nothing can come any more.
        case dismiss(worker: UInt32)
        /// Look at the worker's page and process, and call `observed`.
        case inspect(worker: UInt32)
        /// Look how much memory the worker holds, and call `measured`.
        case measure(worker: UInt32)
        /// The worker is dead: hand on the outcomes it left behind and call `collected`.
        case collect(worker: UInt32, Chunk?)
        /// Give back everything that belongs to the worker.
        case drop(worker: UInt32)
        /// The process has lost its zygote: it is for this process to kill and to reap.
        case adopt(process: Int32)
        /// Look how many processors may be used, and call `allowed`.
        case readAllowance
        case emit(ChunkEvent)
        /// The alarm was moved forward: the pool's thread must not sleep beyond it.
        case wake
    }

    /// A chunk on its way to a worker.
    package struct Assignment: Hashable, Sendable {
        /// With the tighter of the time-outs of its batch and its handler.
        package var chunk: Chunk
        package var limits: HandlerLimits
        /// Whether the worker does not hold the chunk's shared value yet.
        package var sendsShared: Bool
    }

    /// What is seen of a worker from outside.
    package struct Sight: Sendable {
        /// What its page says.
        package var running: SharedPage.RunningJob?
        /// Whether the page speaks of the worker's chunk.
        package var hasBegun: Bool
        /// Jobs of its chunk whose outcomes are known.
        package var finished: Int
        /// Whether a signal has stopped the process.
        package var isSuspended: Bool
        /// Whether nobody reads what it sends: it may have to wait for that.
        package var isHeldUp: Bool

        package init(
            running: SharedPage.RunningJob?, hasBegun: Bool, finished: Int = 0, isSuspended: Bool = false,
            isHeldUp: Bool = false
        ) {
            self.running = running
            self.hasBegun = hasBegun
            self.finished = finished
            self.isSuspended = isSuspended
            self.isHeldUp = isHeldUp
        }
    }

    /// What a dead worker left.
    package struct Remains: Hashable, Sendable {
        /// Jobs of its chunk whose outcomes are known.
        package var finished: Int
        /// When the job behind them was started; nil if none was running.
        package var runningSince: MonotonicTime?
        /// It had said that it was done with its chunk. Jobs without an outcome were recalled before they began.
        package var isDone = false
        /// Processor time, in seconds, that it had used before the running job.
        package var processorTimeBefore = 0.0
        /// The end of what it wrote there since the running job began.
        package var standardError: String?
        /// The kernel has killed a process of this container since the last look because memory was short.
        package var isMemoryShort: Bool

        package init(
            finished: Int, runningSince: MonotonicTime?, standardError: String? = nil, isMemoryShort: Bool = false
        ) {
            self.finished = finished
            self.runningSince = runningSince
            self.standardError = standardError
            self.isMemoryShort = isMemoryShort
        }
    }
}
