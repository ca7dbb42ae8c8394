import JobModel
import JobStore
import Platform

/// Batches to read from the store.
struct PageRequest: Sendable, Hashable {
    var lane: Int
    var work: WorkLane
    var after: BatchID?
    var limit: Int
    /// Only what is being cancelled is wanted.
    var isSearch = false
}

extension ScheduleState {
    // MARK: Work that comes in

    /// Whether the batch's handler is known.
    mutating func submitted(_ record: BatchRecord, inputs: [Segment] = []) -> Bool {
        guard let handler = registeredHandler(record.handler) else { return false }
        guard isNew(record.id) else { return true }
        let lane = lane(WorkLane(record.options))
        guard !lanes[lane].hasMore, room(in: lane) > 0 else {
            lanes[lane].hasMore = true
            return true
        }
        // News comes in the order of commits, which is that of pages.
        lanes[lane].cursor = record.id
        let place = insert(record, pending: PendingRanges(0..<record.total), lane: lane, handler: handler)
        keep(inputs, of: place)
        return true
    }

    /// The store holds unfinished batches in these lanes that were never looked at, or when nobody could run them. To be told how
    /// queues are served first.
    mutating func recover(lanes recovered: [WorkLane]) {
        for work in recovered {
            let lane = lane(work)
            lanes[lane].hasMore = true
            lanes[lane].cursor = nil
            if isPaused(lane) { lanes[lane].search = Lane.Search(after: nil) }
        }
    }

    /// What to read from the store now, if anything: lanes are filled up again when they are half empty.
    func nextPage() -> PageRequest? {
        var best: (lane: Int, room: Int, rank: Level.Rank)?
        var search: Int?
        for lane in lanes.indices where lanes[lane].hasMore {
            if lanes[lane].search != nil { search = lane }
            let rank = levels[lanes[lane].level].rank
            if let best, best.rank >= rank { continue }
            let room = room(in: lane)
            if room > 0, held(in: lane) <= limits.lane / 2 { best = (lane, room, rank) }
        }
        if let (lane, room, _) = best {
            return PageRequest(
                lane: lane, work: workLane(lane), after: lanes[lane].cursor, limit: min(limits.page, room))
        }
        guard let lane = search, let look = lanes[lane].search else { return nil }
        return PageRequest(lane: lane, work: workLane(lane), after: look.after, limit: limits.page, isSearch: true)
    }

    private func workLane(_ lane: Int) -> WorkLane {
        WorkLane(queue: queues[lanes[lane].queue].name, priority: lanes[lane].priority)
    }

    /// Takes a page in. Returns how many batches of which handlers were left in the store because nobody here can run them.
    mutating func loaded(_ page: [UnfinishedBatch], for request: PageRequest, at now: Moment) -> [String: Int] {
        let lane = request.lane
        var unknown: [String: Int] = [:]
        for batch in page {
            guard isNew(batch.record.id), !batch.record.isFinished else { continue }
            if batch.record.phase == .cancelling {
                cancelUnseen(batch.record.id, at: now)
            } else if request.isSearch {
                continue
            } else if let handler = registeredHandler(batch.record.handler) {
                load(batch, lane: lane, handler: handler, at: now)
            } else {
                unknown[batch.record.handler, default: 0] += 1
            }
        }
        let last = page.last?.record.id
        // A page that leads nowhere is not asked for again.
        let hasMore = page.count >= request.limit && last != request.after
        if request.isSearch {
            lanes[lane].search = hasMore ? Lane.Search(after: last) : nil
        } else {
            lanes[lane].hasMore = hasMore
            lanes[lane].cursor = last ?? lanes[lane].cursor
        }
        return unknown
    }

    private mutating func load(_ batch: UnfinishedBatch, lane: Int, handler: Int, at now: Moment) {
        let place = insert(
            batch.record, pending: PendingRanges(batch.remaining), resting: batch.retries.count, lane: lane,
            handler: handler)
        for retry in batch.retries {
            let delay = max(0, retry.dueAt.seconds(since: now.wall))
            // How the last try ended is not known here: it may have killed its worker.
            rest(
                ReadyRetry(index: retry.index, failedAttempts: retry.failedAttempts), isIsolated: true,
                until: now.monotonic + TimeSpan(seconds: delay), place)
        }
        removeIfFinished(place)
    }

    // MARK: Cancelling

    /// Drops a batch's waiting jobs, and returns the chunks that must be stopped because they run others.
    mutating func cancel(_ batch: BatchID, at now: Moment) -> [UInt64] {
        guard let place = places[batch] else {
            cancelUnseen(batch, at: now)
            return []
        }
        guard !work[place].isCancelling else { return [] }
        work[place].isCancelling = true
        timers.abandon(work[place].resting)
        let dropped = work[place].dropWaiting()
        countDormancy(of: place)
        timers.compact { [work] in work[$0.place].awaits($0) }
        unlist(place)
        dropInputs(of: place)

        var running: [Range<Int>] = []
        var stopped: [UInt64] = []
        for (id, chunk) in chunks {
            let ranges = chunk.unheard.filter { $0.place == place }.map(\.range)
            guard !ranges.isEmpty else { continue }
            running += ranges
            stopped.append(id)
        }
        if dropped > 0 {
            work[place].undecided -= dropped
            writes.enqueue(
                CancelOrder(batch: batch, dropped: (place, dropped), running: running, time: now.wall))
        }
        return stopped
    }

    private mutating func cancelUnseen(_ batch: BatchID, at now: Moment) {
        guard cancelledUnseen.insert(batch).inserted else { return }
        writes.enqueue(CancelOrder(batch: batch, dropped: nil, running: [], time: now.wall))
    }

    /// A batch may have been read in a page before the news of its submission or cancellation comes.
    private func isNew(_ batch: BatchID) -> Bool { places[batch] == nil && !cancelledUnseen.contains(batch) }

    // MARK: What the store has committed

    /// Returns what it was.
    @discardableResult
    mutating func committed(_ ticket: UInt64) -> StoreWrite? {
        let write = writes.completed(ticket)
        switch write {
        case .record(let group):
            for tally in group.tallies where tally.outcomes > 0 {
                work[tally.place].taken -= tally.outcomes
                work[tally.place].open -= tally.outcomes
                countDormancy(of: tally.place)
                removeIfFinished(tally.place)
            }
        case .cancelPending(let order):
            if let dropped = order.dropped {
                work[dropped.place].open -= dropped.count
                removeIfFinished(dropped.place)
            } else {
                cancelledUnseen.remove(order.batch)
            }
        case nil:
            break
        }
        return write
    }
}
