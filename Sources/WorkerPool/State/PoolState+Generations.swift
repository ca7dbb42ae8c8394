import JobModel
package import Platform

// Runtimes that replace others without a gap. A runtime that is to be prepared anew gets a second place beside the first one,
// which goes on taking chunks. The new one takes the handlers over as soon as it has a worker that is ready; the old one gives
// its last chunks time to end, and goes. If the new one fails, everything stays as it was.
extension PoolState {
    /// How long after the preparation of a runtime its broken handlers get their next try.
    private static let brokenPause = TimeSpan.milliseconds(1000)
    /// The pauses behind that one begin where they would be after so many failures, at 1.6 s, and grow for longer than elsewhere: each
    /// try imports what the handlers that work need, too.
    private static let brokenBackoff = Backoff(after: 5, limit: TimeSpan(seconds: 300))

    /// Replaces all runtimes. Handlers that are in none of the new ones are gone at once, and their rules hold for every chunk
    /// that comes from now on. A runtime that cannot be prepared leaves its handlers to those that served them before; it is tried
    /// again only if it has handlers that nobody can run otherwise.
    ///
    /// - Parameter rules: at least one.
    package mutating func reload(_ rules: [RuntimeRules], now: MonotonicTime) -> [Action] {
        precondition(!rules.isEmpty, "a pool has a runtime")
        guard !isStopping else { return [] }
        var actions: [Action] = []
        for place in runtimes.indices {
            // An earlier reload that has not come to its end is void.
            dropClaims(place)
            if runtimes[place].role == .beside { actions += retire(place, now) }
        }
        profiles = Dictionary(rules.flatMap(\.handlers).map { ($0.name, $0) }) { first, _ in first }
        for handler in places.keys.sorted() where profiles[handler] == nil { actions += forget(handler) }
        var new: [Int] = []
        for rules in rules {
            let (place, news) = prepareBeside(rules, now)
            new.append(place)
            actions += news
        }
        for place in runtimes.indices where runtimes[place].role == .inForce && !new.contains(place) {
            if served(by: place).isEmpty { actions += retire(place, now) }
        }
        if runtimes[preferred].role != .inForce {
            preferred = runtimes.firstIndex { $0.role == .inForce } ?? preferred
        }
        return actions + announceSlots() + supply(now)
    }

    /// Starts a runtime that takes over its handlers when it can run them, and at once those that nobody can run now.
    mutating func prepareBeside(_ rules: RuntimeRules, _ now: MonotonicTime) -> (place: Int, [Action]) {
        var runtime = Runtime(rules, now: now)
        var actions: [Action] = []
        var vacated: [(handler: String, old: Int)] = []
        var added: [String] = []
        let place = runtimes.indices.first(where: isVacant) ?? runtimes.endIndex
        for handler in runtime.handlers {
            let old = places[handler]
            if let old, runtimes[old].works(handler) {
                runtime.claims.insert(handler)
                continue
            }
            places[handler] = place
            if let old {
                vacated.append((handler, old))
            } else {
                added.append(handler)
            }
        }
        runtime.role = runtime.claims.isEmpty || runtime.claims.count < runtime.handlers.count ? .inForce : .beside
        if place == runtimes.endIndex { runtimes.append(runtime) } else { runtimes[place] = runtime }
        for (handler, old) in vacated { moveWaiting(of: handler, from: old, to: place) }
        if added.isEmpty, let unhealthy = vacated.compactMap({ runtimes[$0.old].unhealthy }).first {
            runtimes[place].unhealthy = unhealthy
            for (handler, old) in vacated { runtimes[place].reasons[handler] = runtimes[old].reasons[handler] }
            // Chunks of handlers that were not told to be unhealthy would come back at once, again and again.
            actions += tellUnhealthy(place) + returnWaiting(place)
        }
        return (place, actions + introduce(added) + tickRuntime(place, now))
    }

    /// The runtime has a worker that is ready: it serves what it has claimed.
    mutating func takeOver(_ place: Int, _ now: MonotonicTime) -> [Action] {
        guard !runtimes[place].claims.isEmpty else { return [] }
        let claimed = runtimes[place].handlers.filter { runtimes[place].claims.contains($0) }
        dropClaims(place)
        runtimes[place].role = .inForce
        runtimes[place].zygoteBackoff = Backoff()
        var replaced: Set<Int> = []
        for handler in claimed {
            guard let old = places.updateValue(place, forKey: handler) else { continue }
            moveWaiting(of: handler, from: old, to: place)
            replaced.insert(old)
        }
        if replaced.contains(preferred) { preferred = place }
        planRetry(place, now)
        var actions = recover(place) + tellBroken(claimed, place) + tellLoaded(claimed, place)
        for old in replaced.sorted() where served(by: old).isEmpty && runtimes[old].claims.isEmpty {
            actions += retire(old, now)
        }
        return actions + announceSlots()
    }

    // MARK: Broken handlers

    /// Some of the runtime's handlers cannot run though the others can: they get another try.
    mutating func planRetry(_ place: Int, _ now: MonotonicTime) {
        guard served(by: place).contains(where: { runtimes[place].broken[$0] != nil }) else { return }
        runtimes[place].retryAt = now + PoolState.brokenPause
        arm(now + PoolState.brokenPause)
    }

    /// Prepares a runtime once more, for the sake of its broken handlers. The new one serves these at once, and is tried again and
    /// again, less and less often, until one of them is better; the others stay where they are until then.
    mutating func retryBroken(_ place: Int, _ now: MonotonicTime) -> [Action] {
        runtimes[place].retryAt = nil
        let old = runtimes[place]
        let broken = served(by: place).filter { old.broken[$0] != nil }
        guard old.role == .inForce, let first = broken.first, let reason = old.broken[first] else { return [] }
        guard old.unhealthy == nil, old.claims.isEmpty else {
            // None of its handlers could stay with it, or some are still to come. When its workers are well, it is time enough.
            planRetry(place, now)
            return []
        }
        let rules = RuntimeRules(
            name: old.name, handlers: old.handlers.compactMap { profiles[$0] },
            preparationTimeout: old.preparationTimeout, definition: old.definition, generation: old.generation)
        var (new, actions) = prepareBeside(rules, now)
        runtimes[new].isRetry = true
        runtimes[new].unhealthy = Unhealthy(reason: reason, retryAfter: Backoff.longest.seconds)
        runtimes[new].zygoteBackoff = PoolState.brokenBackoff
        if served(by: place).isEmpty {
            // The others went elsewhere in a reload.
            if preferred == place { preferred = new }
            actions += retire(place, now)
        }
        return actions
    }

    /// The runtime waits for nobody's handlers any more: its first worker takes a slot like all others.
    mutating func dropClaims(_ place: Int) {
        guard !runtimes[place].claims.isEmpty else { return }
        runtimes[place].claims = []
        for number in workers.keys where workers[number]?.runtime == place { workers[number]?.isProbe = false }
    }

    /// Whether the runtime would take over a handler that it cannot run from one that can.
    func wouldLose(_ handler: String, to place: Int) -> Bool {
        guard runtimes[place].claims.contains(handler), let old = places[handler] else { return false }
        return runtimes[old].works(handler)
    }

    /// The handlers whose chunks go to a runtime, in its order.
    func served(by place: Int) -> [String] { runtimes[place].handlers.filter { places[$0] == place } }

    /// Whether a runtime is not wanted any more.
    package func isRetired(_ place: Int) -> Bool { runtimes[place].role == .retired }

    package func name(of place: Int) -> String { runtimes[place].name }

    /// What a runtime is started from.
    package func definition(of place: Int) -> Int { runtimes[place].definition }

    /// What may still be started from.
    package var definitionsInUse: Set<Int> { Set(runtimes.filter { $0.role != .retired }.map(\.definition)) }

    // MARK: The end of a runtime

    /// Gives the runtime's workers time to finish their chunks and ends it.
    mutating func retire(_ place: Int, _ now: MonotonicTime) -> [Action] {
        runtimes[place].role = .retired
        runtimes[place].claims = []
        runtimes[place].unhealthy = nil
        runtimes[place].retryAt = nil
        var actions = returnWaiting(place)
        switch runtimes[place].phase {
        case .down: runtimes[place].phase = .ended
        case .starting:
            runtimes[place].phase = .ending
            actions.append(.killZygote(runtime: place))
        case .ready:
            for (number, worker) in workers.sorted(by: { $0.key < $1.key })
            where worker.runtime == place && worker.work == nil && worker.isUsable {
                actions += dismiss(number, now)
            }
            actions += endIfDone(place)
        case .ending, .ended: break
        }
        return actions
    }

    /// Ends a retired runtime without workers.
    mutating func endIfDone(_ place: Int) -> [Action] {
        guard runtimes[place].role == .retired, runtimes[place].isReady,
            !workers.values.contains(where: { $0.runtime == place })
        else { return [] }
        runtimes[place].phase = .ending
        return [.killZygote(runtime: place)]
    }

    /// The zygote of a runtime that is retired, or was only to be, is gone.
    mutating func conclude(_ place: Int, _ how: String) -> [Action] {
        var actions: [Action] = []
        if runtimes[place].role == .beside {
            let end = runtimes[place].isReady ? "the zygote \(how)" : "the preparation ended early: the zygote \(how)"
            actions = reportProblem(place, runtimes[place].failure ?? end)
        }
        runtimes[place].role = .retired
        runtimes[place].claims = []
        runtimes[place].phase = .ended
        return actions
    }

    /// Says why handlers go on as they were, although they were to be prepared anew.
    mutating func reportProblem(_ place: Int, _ problem: String) -> [Action] {
        guard !runtimes[place].claims.isEmpty, runtimes[place].reportedProblem != problem else { return [] }
        runtimes[place].reportedProblem = problem
        let handlers = runtimes[place].handlers.filter { runtimes[place].claims.contains($0) }
        return [.emit(.loaded(handlers: handlers, problem: problem, generation: runtimes[place].generation))]
    }

    /// Says of handlers that they were prepared just now.
    func tellLoaded(_ handlers: [String], _ place: Int) -> [Action] {
        let sound = handlers.filter { runtimes[place].broken[$0] == nil }
        guard !sound.isEmpty else { return [] }
        return [.emit(.loaded(handlers: sound, problem: nil, generation: runtimes[place].generation))]
    }

    // MARK: Chunks without a runtime

    /// The handler is not registered here, or not yet: whoever hands chunks out need not try again before it is.
    mutating func turnAway(_ chunk: Chunk) -> [Action] {
        tell([chunk.handler], Unhealthy(reason: "the handler is not registered", retryAfter: 1))
            + [.emit(.ended(chunk: chunk.id, .returned))]
    }

    /// The handler is not registered any more.
    private mutating func forget(_ handler: String) -> [Action] {
        toldUnhealthy[handler] = nil
        guard let place = places.removeValue(forKey: handler) else { return [] }
        let back = runtimes[place].waiting.filter { $0.chunk.handler == handler }
        runtimes[place].waiting.removeAll { $0.chunk.handler == handler }
        return back.map { .emit(.ended(chunk: $0.chunk.id, .returned)) }
    }

    private mutating func moveWaiting(of handler: String, from old: Int, to place: Int) {
        let moved = runtimes[old].waiting.filter { $0.chunk.handler == handler }
        guard !moved.isEmpty else { return }
        runtimes[old].waiting.removeAll { $0.chunk.handler == handler }
        runtimes[place].waiting = (runtimes[place].waiting + moved).sorted { $0.number < $1.number }
    }

    /// Whether nothing is left of a runtime.
    private func isVacant(_ place: Int) -> Bool {
        runtimes[place].phase == .ended && !workers.values.contains { $0.runtime == place }
    }
}
