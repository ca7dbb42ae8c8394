package import JobModel
package import Platform

extension PoolState {
    /// What the state has to know of a runtime.
    package struct RuntimeRules: Sendable {
        package var name: String
        package var handlers: [HandlerProfile]
        package var preparationTimeout: TimeSpan
        /// What it is started from; says something only to the pool's shell.
        package var definition: Int
        /// Which reload has brought it; 0: none.
        package var generation: Int

        package init(
            name: String, handlers: [HandlerProfile], preparationTimeout: TimeSpan = TimeSpan(seconds: 60),
            definition: Int = 0, generation: Int = 0
        ) {
            self.name = name
            self.handlers = handlers
            self.preparationTimeout = preparationTimeout
            self.definition = definition
            self.generation = generation
        }
    }

    /// One zygote's place: the handlers it prepares, its workers that are idle, and the chunks that wait for one.
    ///
    /// What is prepared anew while it serves gets a place of its own: see `PoolState+Generations`.
    struct Runtime {
        enum Role: Equatable {
            /// A zygote that is lost is replaced.
            case inForce
            /// It is prepared beside those that serve its handlers. If it fails, it is given up.
            case beside
            /// It gets no chunks any more and ends when its workers have finished theirs.
            case retired
        }

        enum Phase: Equatable {
            case down(until: MonotonicTime)
            /// It has to be ready by `until`.
            case starting(until: MonotonicTime)
            case ready
            /// Retired, and killed.
            case ending
            /// Retired, and gone: when its last worker is gone as well, the place is free.
            case ended
        }

        struct Waiting {
            /// Rises in the order of arrival, over all runtimes.
            let number: UInt64
            let chunk: Chunk
            let limits: HandlerLimits
        }

        let name: String
        let handlers: [String]
        let preparationTimeout: TimeSpan
        let definition: Int
        let generation: Int
        var role = Role.inForce
        /// Whether it is the same once more, for the sake of its broken handlers.
        var isRetry = false
        /// Handlers that others serve until this one has its first worker.
        var claims: Set<String> = []
        /// What was last said about why its claims cannot be served by it.
        var reportedProblem: String?
        var phase: Phase
        /// While it starts: when its handlers are said to be unavailable, so that their chunks keep nobody waiting.
        var slowAt: MonotonicTime?
        /// What the zygote, or its killer, has said about why it will not be ready.
        var failure: String?
        /// Why its handlers cannot run; nil: they can, as far as is known.
        var unhealthy: Unhealthy?
        /// What is known of some of them in particular.
        var reasons: [String: String] = [:]
        /// Handlers that cannot run though the others can, and why.
        var broken: [String: String] = [:]
        /// When the broken ones are tried anew.
        var retryAt: MonotonicTime?
        var zygoteBackoff = Backoff()
        var forkBackoff = Backoff()
        var nextFork: MonotonicTime
        /// The last death right after a fork, or the last fork that failed.
        var lastForkFailure: MonotonicTime?
        /// Whether a worker has come through its own step since the last one that did not, or not in time. Until then they try
        /// one at a time.
        var isProven = false
        /// How long the last worker took from its fork until it was ready.
        var lastStep = TimeSpan.zero
        var waiting: [Waiting] = []
        var solitude = Solitude()
        /// The one that has been idle for the longest time first.
        var idle: [UInt32] = []
        /// Processes that were given up before the zygote has said that they are reaped.
        var unaccounted: Set<Int32> = []

        init(_ rules: RuntimeRules, now: MonotonicTime) {
            name = rules.name
            handlers = rules.handlers.map(\.name)
            preparationTimeout = rules.preparationTimeout
            definition = rules.definition
            generation = rules.generation
            phase = .down(until: now)
            nextFork = now
        }

        var isReady: Bool { phase == .ready }

        var deadlines: [MonotonicTime] {
            let times: [MonotonicTime?] =
                switch phase {
                case .down(let until): [until]
                case .starting(let until): [until, slowAt]
                case .ready: [retryAt]
                case .ending, .ended: []
                }
            return (times + [solitude.isAwaitedUntil, solitude.isExclusiveUntil]).compactMap { $0 }
        }

        /// How long a worker's own step may hold a slot: as long as is usual for the runtime, within bounds.
        var stepPatience: TimeSpan {
            min(PoolState.longestStep, max(PoolState.slow, TimeSpan(nanoseconds: 3 * lastStep.nanoseconds)))
        }

        /// Whether a chunk of the handler can be taken.
        func takes(_ handler: String) -> Bool { unhealthy == nil && broken[handler] == nil }

        /// Whether jobs of the handler can run now.
        func works(_ handler: String) -> Bool { isReady && takes(handler) }

        /// A fork has failed, or its worker has died before it was of any use. Many that die together count once.
        mutating func forkFailed(_ now: MonotonicTime) {
            lastForkFailure = now
            isProven = false
            if nextFork <= now { nextFork = now + forkBackoff.failed() }
        }
    }
}
