import JobModel
import Platform

extension PoolState {
    enum KillReason: Hashable {
        case cancelled
        /// The pool stops.
        case stopped
        case timeout(position: Int)
        case memoryLimit(bytes: Int64)
        /// A signal has stopped it and nobody lets it go on.
        case suspended
        /// It did not begin with its chunk.
        case unresponsive
        /// It does not get from one job of its chunk to the next.
        case stalled
        /// It did not become ready in time, or has said that it cannot.
        case notReady
        case violation(String)
    }

    struct Work {
        let chunk: Chunk
        let limits: HandlerLimits
        let assignedAt: MonotonicTime
        /// When its worker must have begun with it.
        let beginsBy: MonotonicTime
        /// It is solitary, and no other job has run under its zygote since it began.
        var isAlone = false
        /// Its worker was told to hand back what has not begun.
        var isRecalled = false
        /// When the running job may be over its time-out: the earliest such moment.
        var deadline: MonotonicTime?
        /// When to look at the worker whatever happens.
        var nextLook: MonotonicTime
        /// When to look how much memory it holds, if its handler has a limit.
        var nextMeasure: MonotonicTime?
        /// When the worker was first seen stopped.
        var suspendedSince: MonotonicTime?
        /// When it was first seen between two jobs, and how many it had finished.
        var stall: (since: MonotonicTime, finished: Int)?

        /// How long the worker may take to begin, and to get from one job to the next.
        var patience: TimeSpan { beginsBy - assignedAt }
    }

    struct Worker {
        enum Stage: Equatable {
            /// Asked for; the zygote has to answer by then.
            case forking(until: MonotonicTime)
            /// On its per-worker step, which has to end by then.
            case preparing(until: MonotonicTime)
            case ready
        }

        let runtime: Int
        let askedAt: MonotonicTime
        /// It takes no slot until it is ready: the first one of a runtime that others' workers stand in for, or that is not well; or
        /// one that takes long for its own step.
        var isProbe = false
        var stage: Stage
        /// While it is on its own step: when that takes too long to hold a slot for it.
        var slowAt: MonotonicTime?
        /// Since when it is in the state that a snapshot shows.
        var since: MonotonicTime
        /// nil until the zygote has said that it is forked.
        var processID: Int32?
        /// It was faster to say that it is ready than the zygote to say that it is forked.
        var isReadyEarly = false
        var work: Work?
        /// Jobs of the chunks that it has completed.
        var jobs = 0
        /// The batches whose shared values it holds, in the order in which they came.
        var sharedValues: [BatchID] = []
        var killReason: KillReason?
        /// It was told to end, or killed; by then it has to be gone.
        var endsBy: MonotonicTime?
        var isDismissed = false
        /// When SIGKILL follows SIGTERM.
        var graceEnds: MonotonicTime?
        /// The socket has ended; how long to wait for the zygote's word on why.
        var statusExpected: MonotonicTime?
        var exit: ProcessExit?
        /// How its zygote has ended: the kernel kills it with that, and nobody says how it ended itself. nil: the zygote lives.
        var zygoteEnd: String?
        /// The zygote was killed because it was of no use: no job has to answer for that.
        var wasZygoteGivenUp = false

        init(runtime: Int, askedAt: MonotonicTime, answerBy: MonotonicTime) {
            self.runtime = runtime
            self.askedAt = askedAt
            stage = .forking(until: answerBy)
            since = askedAt
        }

        /// How many shared values a worker holds; one more drives out the one that came first.
        static let sharedValuesHeld = 4

        /// Whether it may be given a chunk, now or when it is ready.
        var isUsable: Bool {
            killReason == nil && !isDismissed && statusExpected == nil && exit == nil && !isOrphan
        }
        var isReady: Bool { stage == .ready }
        var isOrphan: Bool { zygoteEnd != nil }
        /// Whether its number still means this process.
        var isSignalled: Bool { processID != nil && exit == nil }

        /// Notes that a chunk's shared value reaches the worker. Returns whether it has to be sent.
        mutating func takeShared(_ value: SharedValue?) -> Bool {
            guard let batch = value?.batch, !sharedValues.contains(batch) else { return false }
            sharedValues.append(batch)
            if sharedValues.count > Worker.sharedValuesHeld { sharedValues.removeFirst() }
            return true
        }

        var deadlines: [MonotonicTime] {
            var times = [graceEnds, statusExpected, endsBy].compactMap { $0 }
            guard killReason == nil, exit == nil else { return times }
            switch stage {
            case .forking(let until): times.append(until)
            case .preparing(let until): times += [until, slowAt].compactMap { $0 }
            case .ready: break
            }
            if let work { times += [work.deadline, work.nextLook, work.nextMeasure].compactMap { $0 } }
            return times
        }
    }
}
