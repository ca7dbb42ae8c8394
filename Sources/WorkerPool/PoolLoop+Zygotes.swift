import JobModel
import Logging
import Platform
import WorkerKit

extension PoolLoop {
    /// Replaces all runtimes by others.
    func perform(_ reload: SharedPool.Reload) {
        let next = (definitions.keys.max() ?? -1) + 1
        for (index, runtime) in reload.runtimes.enumerated() { definitions[next + index] = runtime }
        // Who asks for it wants to hear what comes of it, be it what was said before.
        complaints = ZygoteComplaints()
        let rules = reload.runtimes.enumerated().map { $1.rules(definition: next + $0, generation: reload.generation) }
        update { state, now in state.reload(rules, now: now) }
        let used = shared.withState { $0.definitionsInUse }
        definitions = definitions.filter { used.contains($0.key) }
    }

    func spawnZygote(_ place: Int) throws(SystemError) {
        guard let definition = definitions[shared.withState({ $0.definition(of: place) })] else {
            preconditionFailure("a runtime that is wanted has a definition")
        }
        let zygote = try ZygoteClient(definition)
        try poller.add(zygote.fileDescriptor, token: Token.zygote(place).rawValue)
        zygotes[place] = zygote
    }

    func missZygote(_ place: Int, _ error: SystemError) {
        logger.error(
            "a zygote could not be started", metadata: ["runtime": "\(name(place))", "error": "\(error)"])
        update { state, now in state.zygoteEnded(place, "could not be started: \(error)", now: now) }
    }

    func receiveReports(_ place: Int) {
        while let zygote = zygotes[place] {
            switch zygote.receive() {
            case .nothing: return
            case .report(let report): handle(report, place)
            case .end(let reason):
                loseZygote(place, zygote, reason)
                return
            }
        }
    }

    private func handle(_ report: ZygoteReport, _ place: Int) {
        switch report {
        case .ready(let problems):
            update { state, now in state.zygoteReady(place, problems, now: now) }
            if shared.withState({ $0.isPrepared(place) }) { complaints.forget(place) }
        case .preparationFailed(let reason):
            shared.withState { $0.preparationFailed(place, reason) }
        case .forked(let worker, let process):
            update { state, now in state.forked(worker, process: process, now: now) }
        case .forkFailed(let worker, let reason):
            logger.error(
                "a worker could not be forked", metadata: ["runtime": "\(name(place))", "reason": "\(reason)"])
            update { state, now in state.forkFailed(worker, "a worker could not be forked: \(reason)", now: now) }
        case .exited(let exit):
            logger.debug("a worker has ended", metadata: exit.metadata)
            update { state, now in state.exited(exit, runtime: place, now: now) }
        }
    }

    private func loseZygote(_ place: Int, _ zygote: ZygoteClient, _ reason: String) {
        zygotes[place] = nil
        leave(zygote.fileDescriptor)
        do {
            let dying = try DyingZygote(zygote, reason: reason, now: .now())
            try poller.add(dying.fileDescriptor, token: Token.end(place).rawValue)
            dyingZygotes[place] = dying
        } catch {
            giveUp(zygote, error)
            bury(place, zygote, reason)
        }
    }

    func lookAtDyingZygotes() {
        let now = MonotonicTime.now()
        for (place, dying) in dyingZygotes where dying.due <= now { look(place) }
    }

    /// Looks after a zygote whose channel has ended. The state hears of the end when its status is known, or does not come.
    func look(_ place: Int) {
        guard let dying = dyingZygotes[place] else { return }
        var how = dying.reason
        do {
            switch try dying.look(now: .now()) {
            case .awaited: return
            case .ended(let exit): how = exit.sentence ?? how
            case .lingers: orphans.add(dying.zygote.processID)
            }
        } catch {
            giveUp(dying.zygote, error)
        }
        dyingZygotes[place] = nil
        leave(dying.fileDescriptor)
        bury(place, dying.zygote, how)
    }

    private func giveUp(_ zygote: ZygoteClient, _ error: SystemError) {
        logger.error("a zygote could not be awaited", metadata: ["error": "\(error)"])
        orphans.add(zygote.processID)
    }

    private func bury(_ place: Int, _ zygote: ZygoteClient, _ how: String) {
        orphans.add(mark: zygote.mark)
        logLoss(place, how)
        update { state, now in state.zygoteEnded(place, how, now: now) }
    }

    private func logLoss(_ place: Int, _ how: String) {
        let (isRetired, failure) = shared.withState { ($0.isRetired(place), $0.failure(of: place)) }
        // The rest of it is a traceback, which clients get to see.
        let reason = failure.map { String($0.prefix { $0 != "\n" }) } ?? "it \(how)"
        let metadata: Logger.Metadata = ["runtime": "\(name(place))", "reason": "\(reason)"]
        if isRetired {
            logger.debug("a zygote has ended", metadata: metadata)
        } else {
            // It is tried again every 10 s, and fails in the same way until somebody does something about it.
            let isNews = complaints.isNews(reason, of: place, now: .now())
            let what: Logger.Message = failure == nil ? "a zygote is lost" : "handlers cannot be prepared"
            logger.log(level: isNews ? .error : .debug, what, metadata: metadata)
        }
    }

    /// For the end of the pool: lets all of them kill their workers and end.
    func endZygotes() {
        for dying in dyingZygotes.values {
            leave(dying.fileDescriptor)
            dying.zygote.kill()
        }
        for (place, zygote) in zygotes {
            leave(zygote.fileDescriptor)
            // One that still prepares does not look at its channel, and has no workers.
            if shared.withState({ $0.isPrepared(place) }) { zygote.shutDown() } else { zygote.kill() }
        }
        for zygote in Array(zygotes.values) + dyingZygotes.values.map(\.zygote) {
            do {
                if let exit = try zygote.awaitEnd(patience: PoolLoop.patience) {
                    logger.debug("a zygote has ended", metadata: exit.metadata)
                }
            } catch {
                logger.error("a zygote could not be ended", metadata: ["error": "\(error)"])
            }
        }
        zygotes = [:]
        dyingZygotes = [:]
    }

    private func name(_ place: Int) -> String { shared.withState { $0.name(of: place) } }
}

extension ProcessExit {
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["process": "\(processID)"]
        if let exitCode { metadata["status"] = "\(exitCode)" }
        if let signal { metadata["signal"] = "\(SignalName.of(signal))" }
        return metadata
    }

    /// The end of a sentence about it.
    var sentence: String? {
        signal.map { "was killed by \(SignalName.of($0))" } ?? exitCode.map { "exited with status \($0)" }
    }
}
