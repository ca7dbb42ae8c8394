import JobModel
import JobStore
import Logging
import Platform
import Synchronization

// What each message means; whoever has the turn calls this.
extension Dispatcher {
    func take(_ message: Message, _ runner: any ChunkRunner, _ course: inout Course) {
        let now = clock.now()
        switch message {
        case .changes(let changes):
            for change in changes { take(change, runner, at: now) }
        case .event(.slots(let slots)):
            state.withLock { $0.planner.slots = slots }
        case .event(.outcomes(let chunk, let position, let runs)):
            if !state.withLock({ $0.hear(of: chunk, position: position, runs: runs, at: now) }) {
                logger.error("outcomes that fit no running chunk", metadata: ["chunk": "\(chunk)"])
                runner.cancel(chunk)
            }
        case .event(.ended(let chunk, let end)):
            let batches = course.isWatched ? state.withLock { $0.batches(in: chunk) } : []
            let isConsistent = state.withLock { $0.end(of: chunk, end, at: now) }
            course.tell(.changed(batches))
            if !isConsistent {
                logger.error(
                    "the end of a chunk that does not fit what was heard of it",
                    metadata: ["chunk": "\(chunk)"])
            }
        case .event(.progress(let chunk, let position, let progress)):
            if let job = state.withLock({ $0.progressed(chunk, position: position, progress) }) {
                course.tell(.progress(job, progress))
            }
        case .event(.logged(let chunk, let position, let lines, let dropped)):
            let told = state.withLock { $0.logged(chunk, position: position, lines, dropped: dropped, at: now) }
            if let (job, attempt, dropped) = told {
                if !lines.isEmpty { course.tell(.logged(job, attempt: attempt, lines)) }
                if let dropped { course.tell(.dropped(job, attempt: attempt, count: dropped)) }
            }
        case .event(.counted(let chunk, let position, let deltas)):
            if !state.withLock({ $0.counted(chunk, position: position, deltas, at: now) }) {
                logger.warning("counters that come after the end of their batch", metadata: ["chunk": "\(chunk)"])
            }
        case .event(.health(let handlers, let unhealthy)):
            setHealth(of: handlers, unhealthy)
        case .event(.loaded):
            break
        case .written(let ticket, .success, _):
            if case .record(let group) = state.withLock({ $0.committed(ticket) }), course.isWatched {
                course.tell(.changed(group.recordings.map(\.batch)))
            }
            if course.hasReportedFullStore {
                course.hasReportedFullStore = false
                logger.notice("the store takes outcomes again")
            }
        case .written(let ticket, .failure(.full(let detail)), _):
            state.withLock { $0.writes.refused(ticket, at: now.monotonic) }
            if !course.hasReportedFullStore {
                course.hasReportedFullStore = true
                logger.error("the store is full: outcomes wait, no work is started", metadata: ["detail": "\(detail)"])
            }
        case .written(_, .failure(let error), _):
            halt(error, &course)
        case .handlers(let handlers, let then):
            setHandlers(handlers, &course)
            then()
            recallExcess(runner)
        case .drain:
            state.withLock { $0.isDraining = true }
            recallExcess(runner)
            progress.withLock { $0.isDraining = true }
        case .abortAll:
            // They have had their time.
            for chunk in state.withLock({ Array($0.chunks.keys) }) { runner.abort(chunk) }
        }
    }

    /// Stops the runner while it brings outcomes faster than the store takes them.
    func holdBack(_ runner: any ChunkRunner, _ course: inout Course) {
        let (bytes, limits) = state.withLock { ($0.writes.bytes, $0.limits) }
        if !course.isPaused && bytes > limits.heldBytes {
            course.isPaused = true
            runner.pause()
        } else if course.isPaused && bytes < limits.unrecordedBytes {
            course.isPaused = false
            runner.resume()
        }
    }

    private func recallExcess(_ runner: any ChunkRunner) {
        for chunk in state.withLock({ $0.recallExcess() }) { runner.recall(chunk) }
    }

    private func setHandlers(_ handlers: [HandlerProfile], _ course: inout Course) {
        let (hasNew, health) = state.withLock { ($0.setHandlers(handlers), $0.unhealthyHandlers) }
        unhealthyHandlers.withLock { $0 = health }
        guard hasNew else { return }
        do throws(StoreError) {
            // Their batches were passed over until now.
            let lanes = try store.unfinishedLanes()
            state.withLock { $0.recover(lanes: lanes) }
        } catch {
            halt(error, &course)
        }
    }

    private func setHealth(of handlers: [String], _ unhealthy: Unhealthy?) {
        let (before, health) = state.withLock { state in
            let before = state.unhealthyHandlers
            state.setHealth(of: handlers, unhealthy)
            return (before, state.unhealthyHandlers)
        }
        unhealthyHandlers.withLock { $0 = health }
        // The same is told again with each new pause.
        guard handlers.contains(where: { before[$0]?.reason != unhealthy?.reason }) else { return }
        if let unhealthy, unhealthy.acceptsJobs {
            logger.notice("handlers wait", metadata: ["handlers": "\(handlers)", "reason": "\(unhealthy.reason)"])
        } else if let unhealthy {
            logger.error(
                "handlers cannot run", metadata: ["handlers": "\(handlers)", "reason": "\(unhealthy.reason)"])
        } else {
            logger.notice("handlers can run", metadata: ["handlers": "\(handlers)"])
        }
    }

    private func take(_ change: StoreChange, _ runner: any ChunkRunner, at now: Moment) {
        switch change {
        case .submitted(let record, let inputs):
            if !state.withLock({ $0.submitted(record, inputs: inputs) }) { warn(of: [record.handler: 1]) }
        case .cancelRequested(let batch):
            for chunk in state.withLock({ $0.cancel(batch, at: now) }) { runner.cancel(chunk) }
        case .queueChanged(let queue):
            state.withLock { $0.configure(queue) }
            recallExcess(runner)
        case .finished, .deliveriesAdded:
            break
        }
    }
}
