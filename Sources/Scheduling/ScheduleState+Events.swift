import JobModel
import JobStore
import Platform

extension ScheduleState {
    // MARK: What is heard of chunks

    /// Notes outcomes. False: the event contradicts what is known of the chunk, and what could not be understood was left out.
    mutating func hear(of id: UInt64, position: Int, runs: [ChunkRun], at now: Moment) -> Bool {
        // Out of the dictionary while it changes, so that it is not copied.
        guard var chunk = chunks.removeValue(forKey: id) else { return false }
        defer { chunks[id] = chunk }
        guard position == chunk.heard else { return false }
        for run in runs {
            let position = chunk.heard
            guard let jobs = chunk.hear(run.count) else { return false }
            // Only here: a job's last attempt, its lines and its outcome belong into one commit.
            writes.sealIfLarge()
            recordLogs(of: position..<chunk.heard, in: &chunk, at: now)
            switch run {
            case .succeeded(_, let body): record(.succeeded, of: jobs, body: body, at: now)
            case .failed(let failure): fail(jobs, failure, chunkStart: chunk.startedAt, at: now)
            }
        }
        return true
    }

    /// Takes back what a chunk has not done. False: the event contradicts what is known of the chunk.
    mutating func end(of id: UInt64, _ end: ChunkEnd, at now: Moment) -> Bool {
        guard var chunk = chunks.removeValue(forKey: id) else { return false }
        changeGate(of: chunk.handler) { $0.running -= 1 }
        changeGate(ofQueue: chunk.queue) { $0.running -= 1 }
        recordLogs(of: 0..<chunk.count, in: &chunk, at: now)
        var unheard = chunk.unheard
        var isConsistent = true
        switch end {
        case .completed(let busy):
            speeds[chunk.handler].measured(jobs: chunk.count, busy: busy)
            isConsistent = unheard.isEmpty
        case .interrupted(let position, let failure):
            let wall = (now.monotonic - chunk.startedAt.monotonic).seconds
            let busy = max(0, wall - (failure.death?.wallSeconds ?? wall))
            speeds[chunk.handler].interrupted(afterJobs: chunk.heard, busy: busy)
            isConsistent = position >= chunk.heard && position < chunk.count
            // Somebody must answer for a dead worker, or the same chunk kills one after the other.
            if let culprit = takeJob(max(0, position - chunk.heard), from: &unheard) {
                if failure.kind != .cancelled {
                    fail(culprit, failure, chunkStart: chunk.startedAt, at: now)
                } else if work[culprit.place].isCancelling {
                    cancel(culprit, failure, chunkStart: chunk.startedAt, at: now)
                } else {
                    // Another batch in the chunk was cancelled, or the service stops: it costs this job nothing.
                    giveBack(culprit, at: now)
                }
            }
        case .lost(let failure):
            // Nobody knows which of them did it. Who is alone is known.
            if chunk.count == 1, let job = unheard.first, job.isIsolated {
                unheard = []
                fail(job, failure, chunkStart: chunk.startedAt, at: now)
            }
            for index in unheard.indices { unheard[index].isIsolated = true }
        case .orphaned(let position, let charged):
            isConsistent = position >= chunk.heard && position < chunk.count
            if let job = takeJob(max(0, position - chunk.heard), from: &unheard) {
                if let charged {
                    fail(job, charged, chunkStart: chunk.startedAt, at: now)
                } else {
                    bereave(job, at: now)
                }
            }
        case .returned:
            break
        }
        // From behind, as each goes before all others.
        for jobs in unheard.reversed() { giveBack(jobs, at: now) }
        return isConsistent
    }

    /// Cuts one job out of parts; the last one if there are not so many.
    private func takeJob(_ offset: Int, from parts: inout [RunningPart]) -> RunningPart? {
        var offset = offset
        for index in parts.indices {
            let part = parts[index]
            guard offset < part.count || index == parts.count - 1 else {
                offset -= part.count
                continue
            }
            var (before, job, behind) = (part, part, part)
            before.count = min(offset, part.count - 1)
            job.first += before.count
            job.count = 1
            behind.first = job.first + 1
            behind.count = part.count - before.count - 1
            parts.replaceSubrange(index...index, with: [before, behind].filter { $0.count > 0 })
            return job
        }
        return nil
    }

    private mutating func record(_ outcome: Outcome, of jobs: RunningPart, body: [UInt8], at now: Moment) {
        let run = OutcomeRun(first: jobs.first, count: jobs.count, outcome: outcome, body: body)
        work[jobs.place].undecided -= jobs.count
        writes.recorder.record(run, of: &work[jobs.place], at: jobs.place, time: now.wall)
    }

    /// Jobs that did not run, and cost no attempt: they wait again, or are cancelled with their batch.
    private mutating func giveBack(_ jobs: RunningPart, at now: Moment) {
        let place = jobs.place
        if work[place].isCancelling { return record(.cancelled, of: jobs, body: [], at: now) }
        work[place].taken -= jobs.count
        if jobs.attempt == 1 && !jobs.isIsolated {
            work[place].pending.putBack(jobs.range)
        } else {
            for index in jobs.range {
                wait(ReadyRetry(index: index, failedAttempts: jobs.attempt - 1), isIsolated: jobs.isIsolated, place)
            }
        }
        countDormancy(of: place)
        refresh(place)
    }

    /// A job was running when its zygote was lost, and others may have been.
    private mutating func bereave(_ job: RunningPart, at now: Moment) {
        work[job.place].zygoteLosses[job.first, default: 0] += 1
        var job = job
        job.isIsolated = job.isIsolated || work[job.place].hasLostItsZygoteTooOften(job.first)
        giveBack(job, at: now)
    }

    /// A job that was killed because its batch is cancelled: the attempt says how its worker died.
    private mutating func cancel(_ job: RunningPart, _ failure: Failure, chunkStart: Moment, at now: Moment) {
        record(failure, of: job, retryAfter: nil, chunkStart: chunkStart, at: now)
        record(.cancelled, of: job, body: [], at: now)
    }

    /// A job that was charged an attempt: it rests and is tried again, or has failed for good.
    private mutating func fail(_ job: RunningPart, _ failure: Failure, chunkStart: Moment, at now: Moment) {
        let place = job.place
        let delay =
            work[place].isCancelling
            ? nil : work[place].retries.delay(afterFailedAttempts: job.attempt, using: &random)
        record(failure, of: job, retryAfter: delay, chunkStart: chunkStart, at: now)

        if let delay {
            work[place].taken -= 1
            work[place].resting += 1
            let killedItsWorker =
                switch failure.kind {
                case .exit, .signal, .timeout, .memoryLimit, .cpuLimit: true
                case .exception, .invalidResult, .outputLimit, .unknownHandler, .cancelled: false
                }
            rest(
                ReadyRetry(index: job.first, failedAttempts: job.attempt),
                isIsolated: killedItsWorker || job.isIsolated, until: now.monotonic + TimeSpan(seconds: delay), place)
            countDormancy(of: place)
        } else if work[place].isCancelling, job.attempt < work[place].retries.maximumAttempts {
            record(.cancelled, of: job, body: [], at: now)
        } else {
            record(.failed, of: job, body: failure.json, at: now)
        }
    }

    private mutating func record(
        _ failure: Failure, of job: RunningPart, retryAfter delay: Double?, chunkStart: Moment, at now: Moment
    ) {
        let place = job.place
        // Its certificate tells how long the job ran. That is measured elsewhere, and must not lead back before the chunk was
        // handed out; and the wall clock that says when that was may have been set back since the batch came.
        let started = failure.death.map { now.wall.advanced(bySeconds: -$0.wallSeconds) } ?? chunkStart.wall
        let startedAt = max(started, chunkStart.wall, work[place].createdAt)
        let attempt = AttemptRecord(
            index: job.first, number: job.attempt, failure: failure, startedAt: startedAt, finishedAt: now.wall,
            retryAt: delay.map { now.wall.advanced(bySeconds: $0) })
        writes.recorder.record(attempt, of: &work[place], at: place, time: now.wall)
    }

    // MARK: Retries

    /// Lets a job rest. The batch has counted it as resting.
    mutating func rest(_ retry: ReadyRetry, isIsolated: Bool, until due: MonotonicTime, _ place: Int) {
        timers.insert(
            RetryTimer(
                due: due, place: place, generation: work[place].generation, retry: retry, isIsolated: isIsolated))
    }

    /// Makes ready what has rested long enough.
    mutating func fireRetries(at now: MonotonicTime) {
        while let timer = timers.first, timer.due <= now {
            _ = timers.popFirst()
            let place = timer.place
            guard work[place].awaits(timer) else {
                timers.abandon(-1)
                continue
            }
            work[place].resting -= 1
            wait(timer.retry, isIsolated: timer.isIsolated, place)
            countDormancy(of: place)
            refresh(place)
        }
    }

    private mutating func wait(_ retry: ReadyRetry, isIsolated: Bool, _ place: Int) {
        if isIsolated { work[place].isolated.append(retry) } else { work[place].ready.append(retry) }
    }
}
