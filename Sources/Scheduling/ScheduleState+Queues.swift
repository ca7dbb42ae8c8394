import JobModel
import JobStore

// Queues, their lanes, and the levels at which these are served.
extension ScheduleState {
    /// From now on the queue is served like this.
    mutating func configure(_ record: QueueRecord) {
        let queue = queue(record.name)
        let before = queues[queue].settings
        changeGate(ofQueue: queue) { $0.settings = record.settings }
        if record.settings.priority != before.priority {
            for lane in queues[queue].lanes { moveToLevel(lane) }
        }
        if record.settings.isPaused, !before.isPaused { clearOut(queue) }
        if !record.settings.isPaused { for lane in queues[queue].lanes { lanes[lane].search = nil } }
    }

    /// How many of a queue's jobs run: each of its chunks is one job at a time.
    func running(inQueue name: String) -> Int { queueNumbers[name].map { queues[$0].running } ?? 0 }

    /// Changes whether, or how much, a queue may run.
    mutating func changeGate(ofQueue queue: Int, _ change: (inout QueueGate) -> Void) {
        let wasOpen = queues[queue].isOpen
        change(&queues[queue])
        guard queues[queue].isOpen != wasOpen else { return }
        for lane in queues[queue].lanes {
            for track in lanes[lane].tracks { relist(track) }
        }
    }

    func isPaused(_ lane: Int) -> Bool { queues[lanes[lane].queue].settings.isPaused }

    /// What never ran and cannot run now makes room for what can; it is read again when the queue goes on.
    private mutating func clearOut(_ queue: Int) {
        for lane in queues[queue].lanes {
            // Cancelled batches behind the window would not be found for as long as it stands still.
            if lanes[lane].hasMore { lanes[lane].search = Lane.Search(after: lanes[lane].cursor) }
        }
        for place in Array(places.values) where lanes[work[place].lane].queue == queue && work[place].isUntouched {
            lanes[work[place].lane].hasMore = true
            lanes[work[place].lane].cursor = nil
            remove(place)
        }
    }

    // MARK: Numbers

    /// The number of a queue; a new one if it is not known.
    private mutating func queue(_ name: String) -> Int {
        if let known = queueNumbers[name] { return known }
        let queue: Int
        if let free = freeQueues.popLast() {
            queue = free
            queues[queue] = QueueGate(name: name)
        } else {
            queue = queues.count
            queues.append(QueueGate(name: name))
        }
        queueNumbers[name] = queue
        return queue
    }

    /// The number of a lane; a new one if it is not known.
    mutating func lane(_ lane: WorkLane) -> Int {
        let queue = queue(lane.queue)
        if let known = queues[queue].lanes.first(where: { lanes[$0].priority == lane.priority }) { return known }
        forgetIdleLanesIfMany()
        return open(lane)
    }

    private mutating func open(_ lane: WorkLane) -> Int {
        // It may have been forgotten with its last lane.
        let queue = queue(lane.queue)
        let entry = Lane(
            queue: queue, priority: lane.priority,
            level: level(Level.Rank(queue: queues[queue].settings.priority, batch: lane.priority)))
        let number: Int
        if let free = freeLanes.popLast() {
            number = free
            lanes[number] = entry
        } else {
            number = lanes.count
            lanes.append(entry)
        }
        queues[queue].lanes.append(number)
        return number
    }

    private mutating func level(_ rank: Level.Rank) -> Int {
        if let level = levelOrder.first(where: { levels[$0].rank == rank }) { return level }
        levels.append(Level(rank: rank))
        let position = levelOrder.firstIndex { levels[$0].rank < rank } ?? levelOrder.endIndex
        levelOrder.insert(levels.count - 1, at: position)
        return levels.count - 1
    }

    /// Puts a lane where its queue's priority wants it.
    private mutating func moveToLevel(_ lane: Int) {
        let priority = queues[lanes[lane].queue].settings.priority
        let level = level(Level.Rank(queue: priority, batch: lanes[lane].priority))
        for track in lanes[lane].tracks where tracks[track].isListed {
            trackLinks.remove(track, from: &levels[lanes[lane].level].rotation)
            trackLinks.append(track, to: &levels[level].rotation)
        }
        lanes[lane].level = level
    }

    // MARK: Forgetting

    /// Clients name queues as they like, so those that have been used up must not stay for ever.
    private mutating func forgetIdleLanesIfMany() {
        guard lanes.count - freeLanes.count >= lanesBeforeCleaning else { return }
        var idle: Set<Int> = []
        for queue in queueNumbers.values {
            let forgotten = queues[queue].lanes.filter { lanes[$0].isForgettable }
            guard !forgotten.isEmpty else { continue }
            idle.formUnion(forgotten)
            queues[queue].lanes.removeAll(where: idle.contains)
        }
        for lane in idle {
            for track in lanes[lane].tracks { trackNumbers[tracks[track].key] = nil }
            freeTracks += lanes[lane].tracks
            lanes[lane].tracks = []
        }
        for handler in gates.indices { gates[handler].tracks.removeAll { idle.contains(tracks[$0].key.lane) } }
        for (name, queue) in queueNumbers {
            guard queues[queue].lanes.isEmpty, queues[queue].running == 0, queues[queue].settings == QueueSettings()
            else { continue }
            queueNumbers[name] = nil
            freeQueues.append(queue)
        }
        freeLanes += idle
        lanesBeforeCleaning = max(limits.lanes, 2 * (lanes.count - freeLanes.count))
    }
}
