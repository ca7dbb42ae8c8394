package import JobModel
package import Platform
package import WorkerKit

extension PoolState {
    /// What only the shell can see of a worker.
    package struct Look: Sendable {
        package var running: SharedPage.RunningJob?
        /// Jobs of its chunk that it has finished.
        package var finished: Int
        package var residentBytes: Int64?

        package init(running: SharedPage.RunningJob? = nil, finished: Int = 0, residentBytes: Int64? = nil) {
            self.running = running
            self.finished = finished
            self.residentBytes = residentBytes
        }
    }

    package func snapshot(now: MonotonicTime, zygotes: [Int: Int32], look: (UInt32) -> Look) -> PoolSnapshot {
        PoolSnapshot(
            size: slots,
            workers: workers.sorted { $0.key < $1.key }.map { number, worker in
                snapshot(of: worker, look(number), now)
            },
            runtimes: runtimes.enumerated().filter { $1.phase != .ended }.map { place, runtime in
                PoolSnapshot.Runtime(
                    name: runtime.name, state: runtime.state,
                    processID: zygotes[place], handlers: runtime.handlers, reason: runtime.unhealthy?.reason)
            })
    }

    private func snapshot(of worker: Worker, _ look: Look, _ now: MonotonicTime) -> PoolSnapshot.Worker {
        let state: PoolSnapshot.Worker.State =
            if !worker.isUsable { .stopping } else if !worker.isReady { .starting } else if worker.work == nil {
                .idle
            } else { .busy }
        let running = look.running.flatMap { $0.chunk == worker.work?.chunk.id ? $0 : nil }
        let since = running.map { min(max($0.startedAt, worker.since), now) } ?? worker.since
        return PoolSnapshot.Worker(
            processID: worker.processID,
            runtime: runtimes[worker.runtime].name,
            state: state,
            job: running.flatMap { worker.work?.chunk.job(at: $0.position) },
            handler: worker.work?.chunk.handler,
            since: (now - since).seconds,
            residentBytes: look.residentBytes,
            jobs: worker.jobs + look.finished,
            age: (now - worker.askedAt).seconds)
    }
}

extension PoolState.Runtime {
    fileprivate var state: PoolSnapshot.Runtime.State {
        if role == .retired { return .stopping }
        return unhealthy != nil ? .unhealthy : isReady ? .ready : .starting
    }
}

extension Chunk {
    /// Which job is at a position; nil if there is none.
    func job(at position: Int) -> JobID? {
        var rest = position
        for part in parts {
            if rest < part.count { return rest < 0 ? nil : JobID(batch: part.batch, index: part.first + rest) }
            rest -= part.count
        }
        return nil
    }
}
