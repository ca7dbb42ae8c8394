import JobModel

// Handlers that come, change and go while the service runs.
extension ScheduleState {
    /// Who runs the handler has not said how it is.
    private static let isNew = Unhealthy(reason: "the handler is being loaded", retryAfter: 1, acceptsJobs: true)

    /// From now on these handlers are registered and no others. Those that were not before wait until it is said how they are. Batches of one that is gone wait: those in memory stay there and
    /// count like batches that rest, the others stay in the store. What runs of it comes to its end.
    /// - Returns: whether there are handlers that were not registered before; then batches of them may be in the store.
    mutating func setHandlers(_ handlers: [HandlerProfile]) -> Bool {
        let profiles = Dictionary(handlers.map { ($0.name, $0) }) { first, _ in first }
        var changed: Set<Int> = []
        for handler in gates.indices {
            let profile = profiles[handlerNames[handler]]
            if gates[handler].isRegistered != (profile != nil) { changed.insert(handler) }
            let returns = profile != nil && !gates[handler].isRegistered
            changeGate(of: handler) { gate in
                gate.isRegistered = profile != nil
                gate.concurrency = profile?.concurrency
                if returns { gate.unhealthy = ScheduleState.isNew }
            }
        }
        var hasNew = changed.contains { gates[$0].isRegistered }
        for name in profiles.keys.sorted() where handlerNumbers[name] == nil {
            handlerNumbers[name] = gates.count
            handlerNames.append(name)
            var gate = HandlerGate(concurrency: profiles[name]?.concurrency)
            gate.unhealthy = ScheduleState.isNew
            gates.append(gate)
            speeds.append(HandlerSpeed())
            hasNew = true
        }
        for place in places.values where changed.contains(work[place].handler) { countDormancy(of: place) }
        return hasNew
    }

    /// The number of a handler that can be run here.
    func registeredHandler(_ name: String) -> Int? {
        handlerNumbers[name].flatMap { gates[$0].isRegistered ? $0 : nil }
    }

    /// Whether the batch's handler is gone and nothing of it runs: it waits for nobody knows how long.
    func isLeft(_ place: Int) -> Bool { !gates[work[place].handler].isRegistered && work[place].taken == 0 }
}
