import JobModel
import JobStore

/// A chunk that is being put together.
struct ChunkDraft: Sendable {
    let handler: Int
    let queue: Int
    let timeout: Double?
    /// One job that may kill its worker, and nothing else.
    let isIsolated: Bool
    /// One job that may kill its zygote.
    var isSolitary = false
    /// The batch that jobs are taken from.
    var place: Int
    /// The next batch that might share the chunk.
    var neighbour: Int?
    /// Jobs and bytes of input that still fit.
    var room: Int
    var bytes: Int
    var shared: SharedValue?
    var parts: [Chunk.Part] = []
    var running: [RunningPart] = []
}

/// Payloads that have to be read before the next chunk is complete.
struct InputRequest: Sendable, Hashable {
    var place: Int
    var batch: BatchID
    var range: Range<Int>
    var maximumBytes: Int
    /// For jobs that were tried before.
    var isAside: Bool
}

extension ScheduleState {
    enum Step: Sendable {
        case run(Chunk)
        /// Read this, `supply` it, and ask again.
        case load(InputRequest)
        /// Read what this batch shares with its jobs, `supply` it, and ask again.
        case loadShared(BatchID)
        case idle
    }

    /// How often a batch that does not fit is passed over when others are sought to share a chunk.
    private static let passedOver = 4

    /// What to hand out next.
    mutating func next(at now: Moment) -> Step {
        guard var draft = self.draft.take() ?? openDraft() else { return .idle }
        let first = draft.place
        if work[first].isSharing, draft.shared == nil {
            guard let value = sharedValues.use(work[first].id) else {
                self.draft = draft
                return .loadShared(work[first].id)
            }
            draft.shared = value
        }
        while true {
            if let request = fill(&draft) {
                self.draft = draft
                return .load(request)
            }
            refresh(draft.place)
            guard let neighbour = takeNeighbour(&draft) else { return .run(close(draft, at: now)) }
            draft.place = neighbour
        }
    }

    /// Takes what was asked for. False: the job's payload is not among it.
    mutating func supply(_ segments: [Segment], for request: InputRequest) -> Bool {
        guard let first = segments.first, first.range.contains(request.range.lowerBound) else { return false }
        let place = request.place
        changeInputs(of: place) { inputs in
            if request.isAside { inputs.setAside(first) } else { inputs.setAhead(segments) }
        }
        while inputBytes > limits.allReadAhead, let oldest = inputHolders.first {
            // The one that was just read may be the oldest: it stays, as what was read must be used at least once.
            guard let victim = oldest == place ? inputLinks.next(after: oldest) : oldest else { break }
            dropInputs(of: victim)
        }
        return true
    }

    mutating func supply(_ shared: SharedValue) { sharedValues.keep(shared) }

    /// Keeps payloads that came with their batch, as far as there is room. A large one leaves some for small ones, and for what is read.
    mutating func keep(_ segments: [Segment], of place: Int) {
        let room = limits.allReadAhead - inputBytes
        let small = segments.first(weighing: min(room, limits.leastReadAhead))
        let kept = small.count == segments.count ? small : segments.first(weighing: room - limits.readAhead)
        if !kept.isEmpty { changeInputs(of: place) { $0.setAhead(kept) } }
    }

    mutating func dropInputs(of place: Int) {
        guard work[place].inputs.bytes > 0 else { return }
        changeInputs(of: place) { $0.removeAll() }
    }

    // MARK: Putting a chunk together

    private mutating func openDraft() -> ChunkDraft? {
        guard !isDraining, chunks.count < planner.slots, !writes.isStoreFull, writes.bytes < limits.unrecordedBytes,
            let place = chooseBatch()
        else { return nil }
        let speed = speeds[work[place].handler]
        let queue = lanes[work[place].lane].queue
        let queueLimit = queues[queue].settings.concurrency
        let concurrency = gates[work[place].handler].concurrency.map { min($0, queueLimit ?? $0) } ?? queueLimit
        let isAutomatic = work[place].chunkSize == .automatic
        let isIsolated = !work[place].isolated.isEmpty
        var neighbour: Int?
        let room: Int
        switch work[place].chunkSize {
        case _ where isIsolated:
            room = 1
        case .exactly(let size):
            room = max(1, size)
        case .python:
            room = planner.pythonSize(total: work[place].total)
        case .automatic:
            var ready = work[place].readyCount
            if work[place].grouped > 0, planner.coalesces(speed: speed, freeSlots: planner.slots - chunks.count) {
                let group = work[place].group
                ready = groups[group].ready
                neighbour = groupLinks.next(after: place) ?? groups[group].small.first
                if neighbour == place { neighbour = nil }
            }
            room = planner.automaticSize(ready: ready, speed: speed, concurrency: concurrency)
        }
        unlist(place)
        work[place].wasServed = true
        let handler = work[place].handler
        changeGate(of: handler) { $0.running += 1 }
        changeGate(ofQueue: queue) { $0.running += 1 }
        return ChunkDraft(
            handler: handler, queue: queue, timeout: work[place].timeout, isIsolated: isIsolated, place: place,
            neighbour: neighbour, room: room, bytes: isAutomatic ? limits.chunkBytes : limits.chosenChunkBytes)
    }

    /// Takes jobs of the draft's batch until it is full or they are all taken; or says what must be read for that.
    private mutating func fill(_ draft: inout ChunkDraft) -> InputRequest? {
        let place = draft.place
        while draft.room > 0, draft.bytes > 0 {
            let first: Int
            let limit: Int
            var attempt = 1
            if draft.isIsolated {
                guard let retry = work[place].isolated.first else { return nil }
                (first, limit, attempt) = (retry.index, 1, retry.failedAttempts + 1)
                draft.isSolitary = work[place].hasLostItsZygoteTooOften(retry.index)
            } else if let retry = work[place].ready.first {
                (first, attempt) = (retry.index, retry.failedAttempts + 1)
                limit = work[place].ready.consecutive(atMost: draft.room)
            } else if let range = work[place].pending.first {
                (first, limit) = (range.lowerBound, min(draft.room, range.count))
            } else {
                return nil
            }

            // What is not next in line is read apart.
            let isRetry = attempt > 1 || draft.isIsolated
            guard let input = takeInput(of: place, from: first, atMost: limit, aside: isRetry) else {
                return request(place, first: first, limit: limit, isRetry: isRetry)
            }
            switch (draft.isIsolated, isRetry) {
            case (true, _): work[place].isolated.takeFirst(input.count)
            case (false, true): work[place].ready.takeFirst(input.count)
            case (false, false): work[place].pending.takeFirst(input.count)
            }
            work[place].taken += input.count
            draft.room -= input.count
            draft.bytes -= input.bytes.count
            let batch = work[place].id
            draft.parts.append(
                Chunk.Part(
                    batch: batch, first: first, count: input.count, attempt: attempt,
                    traceparent: work[place].traceparent, input: input.bytes))
            draft.running.append(
                RunningPart(
                    place: place, batch: batch, first: first, count: input.count, attempt: attempt,
                    isIsolated: draft.isIsolated))
        }
        return nil
    }

    /// The next small batch of the same kind whose jobs all fit into the draft.
    private mutating func takeNeighbour(_ draft: inout ChunkDraft) -> Int? {
        var passedOver = 0
        while draft.bytes > 0, passedOver < Self.passedOver, let candidate = draft.neighbour {
            draft.neighbour = groupLinks.next(after: candidate)
            if work[candidate].readyCount <= draft.room {
                unlist(candidate)
                work[candidate].wasServed = true
                return candidate
            }
            passedOver += 1
        }
        return nil
    }

    /// The chunk that is being put together, as far as it is: for whoever may not read what is missing. Nil if it holds nothing yet;
    /// then its batch waits for its turn again.
    mutating func closeDraft(at now: Moment) -> Chunk? {
        guard let draft = self.draft.take() else { return nil }
        refresh(draft.place)
        if !draft.parts.isEmpty { return close(draft, at: now) }
        changeGate(of: draft.handler) { $0.running -= 1 }
        changeGate(ofQueue: draft.queue) { $0.running -= 1 }
        return nil
    }

    private mutating func close(_ draft: ChunkDraft, at now: Moment) -> Chunk {
        lastChunk += 1
        chunks[lastChunk] = RunningChunk(
            handler: draft.handler, queue: draft.queue, startedAt: now, parts: draft.running)
        gather(behind: draft, at: now.monotonic)
        return Chunk(
            id: lastChunk, handler: handlerNames[draft.handler], timeout: draft.timeout, shared: draft.shared,
            isSolitary: draft.isSolitary, parts: draft.parts)
    }

    // MARK: Inputs

    private func request(_ place: Int, first: Int, limit: Int, isRetry: Bool) -> InputRequest {
        let batch = work[place].id
        if isRetry {
            return InputRequest(place: place, batch: batch, range: first..<first + 1, maximumBytes: 1, isAside: true)
        }
        let end = work[place].pending.first?.upperBound ?? first + limit
        let share = limits.allReadAhead / (inputHolders.count + 1)
        let bytes = max(limits.leastReadAhead, min(limits.readAhead, share))
        return InputRequest(place: place, batch: batch, range: first..<end, maximumBytes: bytes, isAside: false)
    }

    private mutating func takeInput(of place: Int, from first: Int, atMost limit: Int, aside: Bool) -> TakenInput? {
        changeInputs(of: place) { inputs in
            aside ? inputs.takeAside(from: first, atMost: limit) : inputs.take(from: first, atMost: limit)
        }
    }

    /// Changes a batch's inputs and keeps the books.
    private mutating func changeInputs<Result>(of place: Int, _ body: (inout BatchInputs) -> Result) -> Result {
        let before = work[place].inputs.bytes
        let result = body(&work[place].inputs)
        let after = work[place].inputs.bytes
        inputBytes += after - before
        if before == 0, after > 0 {
            inputLinks.append(place, to: &inputHolders)
        } else if before > 0, after == 0 {
            inputLinks.remove(place, from: &inputHolders)
        }
        return result
    }
}
