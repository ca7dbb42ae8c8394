import JobModel
import JobStore
import Platform

// What running jobs say of themselves. An event of a job that is not running any more says nothing.
extension ScheduleState {
    // MARK: What is heard

    /// The job that speaks; nil if it does not run any more.
    mutating func progressed(_ id: UInt64, position: Int, _ progress: JobProgress) -> JobID? {
        guard let job = chunks[id]?.unheardJob(at: position) else { return nil }
        chunks[id]?.signs.progress = (position, progress)
        return JobID(batch: job.batch, index: job.first)
    }

    /// Gathers lines: they are recorded with the job's outcome or attempt, or when they have waited long enough. The job that
    /// speaks, on which try, and how many of its lines were left out in all, if some were now; nil if nothing is known of it.
    /// - Parameter dropped: lines that were left out before they came here.
    mutating func logged(
        _ id: UInt64, position: Int, _ lines: [LogLine], dropped: Int = 0, at now: Moment
    ) -> (JobID, attempt: Int, dropped: Int?)? {
        guard let job = chunks[id]?.job(at: position) else { return nil }
        let room = logRoom(of: job)
        let before = chunks[id]?.signs.logs[position]?.droppedSoFar ?? 0
        let accepted = chunks[id]?.signs.log(lines, dropped: dropped, position: position, room: room) ?? 0
        let after = chunks[id]?.signs.logs[position]?.droppedSoFar ?? 0
        if accepted > 0 { work[job.place].logBytes += accepted }
        if position < chunks[id]?.heard ?? 0 {
            // Its outcome is on its way already.
            let late = chunks[id]?.signs.takeLogs(of: position..<position + 1) ?? []
            record(late, of: chunks[id], at: now)
        } else if logsDue == nil, chunks[id]?.signs.hasLines ?? false {
            logsDue = now.monotonic + limits.logRest
        }
        return (JobID(batch: job.batch, index: job.first), job.attempt, after > before ? after : nil)
    }

    /// False: nothing is known of the batch any more.
    mutating func counted(_ id: UInt64, position: Int, _ deltas: [CounterDelta], at now: Moment) -> Bool {
        guard let job = chunks[id]?.job(at: position), mayRecord(of: job) else { return false }
        writes.recorder.record(deltas, of: &work[job.place], at: job.place, time: now.wall)
        return true
    }

    // MARK: Recording logs

    /// Records the lines of all running jobs when they have waited long enough.
    mutating func recordDueLogs(at now: Moment) {
        guard let due = logsDue, due <= now.monotonic else { return }
        logsDue = nil
        for id in Array(chunks.keys) {
            let lines = chunks[id]?.signs.takeLines() ?? []
            record(lines, of: chunks[id], at: now)
        }
    }

    /// Records what jobs that are done have logged since the last time.
    mutating func recordLogs(of positions: Range<Int>, in chunk: inout RunningChunk, at now: Moment) {
        guard chunk.signs.hasLines else { return }
        record(chunk.signs.takeLogs(of: positions), of: chunk, at: now)
    }

    private mutating func record(
        _ logs: [(position: Int, log: RunningSigns.Log)], of chunk: RunningChunk?, at now: Moment
    ) {
        for (position, log) in logs {
            guard let job = chunk?.job(at: position), mayRecord(of: job) else { continue }
            writes.recorder.record(
                log.recorded(index: job.first, attempt: job.attempt),
                of: &work[job.place], at: job.place, time: now.wall)
        }
    }

    /// Text bytes that the batch may still log while it is in memory.
    private func logRoom(of job: RunningPart) -> Int {
        places[job.batch] == job.place ? max(0, JobLog.bytesPerBatch - work[job.place].logBytes) : 0
    }

    /// Whether the store will still take something of the job's batch. It does not when the batch has ended, and that may be on its
    /// way to the store already.
    private func mayRecord(of job: RunningPart) -> Bool {
        guard places[job.batch] == job.place else { return false }
        return work[job.place].undecided > 0 || writes.recorder.isGathering(for: work[job.place])
    }

    // MARK: Questions

    /// Of which batches a running chunk holds jobs.
    func batches(in chunk: UInt64) -> [BatchID] { chunks[chunk]?.parts.map(\.batch) ?? [] }

    func progress(of job: JobID) -> JobProgress? {
        guard let place = places[job.batch], work[place].taken > 0 else { return nil }
        for chunk in chunks.values {
            guard let (position, progress) = chunk.signs.progress, let spoke = chunk.unheardJob(at: position) else {
                continue
            }
            if spoke.place == place, spoke.first == job.index { return progress }
        }
        return nil
    }

    /// What the job has logged and the store may not know yet.
    func logs(of job: JobID) -> [JobLog] {
        guard let place = places[job.batch] else { return [] }
        var logs = writes.logs(of: job.index, since: work[place].recording)
        for chunk in chunks.values where chunk.signs.hasLines {
            for (position, log) in chunk.signs.logs where !log.isEmpty {
                guard let spoke = chunk.job(at: position), spoke.place == place, spoke.first == job.index else {
                    continue
                }
                logs.append(log.recorded(index: job.index, attempt: spoke.attempt))
            }
        }
        return logs
    }

    /// The handlers that cannot run.
    var unhealthyHandlers: [String: Unhealthy] {
        var unhealthy: [String: Unhealthy] = [:]
        for (name, gate) in zip(handlerNames, gates) where gate.isRegistered && gate.unhealthy != nil {
            unhealthy[name] = gate.unhealthy
        }
        return unhealthy
    }
}
