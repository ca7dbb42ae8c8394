import JobModel
import Platform

// Who is next: levels by rank, at a level the tracks of its lanes in rotation, in a track its batches.
extension ScheduleState {
    // MARK: Batches

    /// Puts a batch into the queues it belongs into, or takes it out of them. To be called whenever its waiting jobs have changed.
    mutating func refresh(_ place: Int) {
        let ready = work[place].readyCount
        guard ready > 0 else { return unlist(place) }
        if work[place].turn == .none {
            let track = work[place].track
            if work[place].wasServed {
                turnLinks.append(place, to: &tracks[track].served)
                work[place].turn = .served
            } else {
                turnLinks.append(place, to: &tracks[track].newcomers)
                work[place].turn = .newcomer
            }
            relist(track)
        }
        regroup(place, ready: work[place].mayShareChunks(upTo: limits.smallBatchJobs) ? ready : 0)
    }

    /// Takes a batch out of all queues.
    mutating func unlist(_ place: Int) {
        let track = work[place].track
        switch work[place].turn {
        case .none: break
        case .newcomer: turnLinks.remove(place, from: &tracks[track].newcomers)
        case .served: turnLinks.remove(place, from: &tracks[track].served)
        }
        work[place].turn = .none
        relist(track)
        regroup(place, ready: 0)
    }

    private mutating func regroup(_ place: Int, ready: Int) {
        let before = work[place].grouped
        guard ready != before else { return }
        let group = work[place].group
        groups[group].ready += ready - before
        work[place].grouped = ready
        if before == 0 {
            groupLinks.append(place, to: &groups[group].small)
        } else if ready == 0 {
            groupLinks.remove(place, from: &groups[group].small)
        }
    }

    // MARK: Handlers

    /// Changes whether, or how much, a handler may run.
    mutating func changeGate(of handler: Int, _ change: (inout HandlerGate) -> Void) {
        let wasOpen = gates[handler].isOpen
        change(&gates[handler])
        guard gates[handler].isOpen != wasOpen else { return }
        for track in gates[handler].tracks { relist(track) }
    }

    /// When many small batches come one after the other, each chunk would hold only those that came while the one before was on its
    /// way, and cost more than its jobs. So behind a chunk that was not worth its way the next one gathers for a moment. Outside
    /// of such a stream nobody waits.
    mutating func gather(behind draft: ChunkDraft, at now: MonotonicTime) {
        // A large batch comes in many parts of its own.
        guard Set(draft.parts.map(\.batch)).count >= limits.streamBatches,
            let seconds = speeds[draft.handler].secondsPerJob,
            seconds * Double(draft.parts.reduce(0) { $0 + $1.count }) < limits.smallestChunkSeconds
        else { return }
        let end = now + limits.gatheringTime
        changeGate(of: draft.handler) { $0.gathersUntil = end }
        gatheringEnds = min(gatheringEnds ?? end, end)
    }

    /// Lets handlers run again whose jobs have gathered long enough.
    mutating func endGathering(at now: MonotonicTime) {
        guard let ends = gatheringEnds, ends <= now else { return }
        gatheringEnds = nil
        for handler in gates.indices {
            guard let end = gates[handler].gathersUntil else { continue }
            if end <= now {
                changeGate(of: handler) { $0.gathersUntil = nil }
            } else {
                gatheringEnds = min(gatheringEnds ?? end, end)
            }
        }
    }

    /// Handlers that are not known here are nobody's affair.
    mutating func setHealth(of handlers: [String], _ unhealthy: Unhealthy?) {
        for name in handlers {
            guard let handler = handlerNumbers[name] else { continue }
            changeGate(of: handler) { $0.unhealthy = unhealthy }
        }
    }

    /// The track of a handler in a lane; a new one if there is none yet.
    mutating func track(_ key: Track.Key) -> Int {
        if let known = trackNumbers[key] { return known }
        let track: Int
        if let free = freeTracks.popLast() {
            track = free
            tracks[track] = Track(key: key)
        } else {
            track = tracks.count
            tracks.append(Track(key: key))
        }
        trackNumbers[key] = track
        gates[key.handler].tracks.append(track)
        lanes[key.lane].tracks.append(track)
        return track
    }

    /// Puts a track into its level's rotation, or takes it out of it. To be called whenever its batches or a gate of it have changed.
    mutating func relist(_ track: Int) {
        let key = tracks[track].key
        let belongs =
            !tracks[track].isIdle && gates[key.handler].isOpen && queues[lanes[key.lane].queue].isOpen
        guard belongs != tracks[track].isListed else { return }
        tracks[track].isListed = belongs
        let level = lanes[key.lane].level
        if belongs {
            trackLinks.append(track, to: &levels[level].rotation)
        } else {
            trackLinks.remove(track, from: &levels[level].rotation)
        }
    }

    /// The batch whose turn it is, if any can run.
    mutating func chooseBatch() -> Int? {
        for level in levelOrder {
            guard let track = levels[level].rotation.first else { continue }
            trackLinks.remove(track, from: &levels[level].rotation)
            trackLinks.append(track, to: &levels[level].rotation)
            return tracks[track].nextTurn(newcomersInARow: limits.newcomersInARow)
        }
        return nil
    }
}
