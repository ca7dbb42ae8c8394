import JSONBytes
import JobModel
import JobStore

/// Where a job stands, as clients see it.
enum JobStatus: Equatable {
    case pending, running
    case ended(Outcome)

    var name: String {
        switch self {
        case .pending: "pending"
        case .running: "running"
        case .ended(let outcome): outcome.rawValue
        }
    }
}

/// A job as the API shows it. Every field is always there, but `result` only for a job that succeeded and `error` only for one
/// that failed.
struct JobJSON {
    var id: JobID
    var handler: String
    var queue: String
    var status: JobStatus
    /// JSON text.
    var payload: [UInt8]
    /// The result or the error, JSON text.
    var body: [UInt8]?
    /// Those that failed.
    var attempts: [AttemptRecord] = []
    /// What it says of itself while it runs.
    var progress: JobProgress?
    /// Of each attempt that logged.
    var logs: [JobLog] = []
    /// Lines of all attempts that were not kept.
    var logsDropped = 0
    var createdAt: Timestamp

    var json: JSON {
        var writer = JSONWriter(reservingCapacity: 320 + payload.count + (body?.count ?? 0))
        writer.beginObject()
        writer.key("id")
        writer.plain(id.append)
        writer.key("batch")
        writer.plain(id.batch.append)
        writer.key("index")
        writer.value(id.index)
        writer.key("handler")
        writer.value(handler)
        writer.key("queue")
        writer.value(queue)
        writer.key("status")
        writer.value(status.name)
        writer.key("payload")
        writer.raw(bytes: payload)
        if let body {
            if status == .ended(.succeeded) {
                writer.key("result")
                writer.raw(bytes: body)
            } else if status == .ended(.failed) {
                writer.key("error")
                writer.raw(bytes: body)
            }
        }
        writer.key("attempts")
        writer.beginArray()
        for attempt in attempts { attempt.write(to: &writer) }
        writer.endArray()
        writer.key("progress")
        if let progress { progress.write(to: &writer) } else { writer.null() }
        writer.key("logs")
        writer.beginArray()
        for log in logs { for line in log.lines { line.write(to: &writer, attempt: log.attempt) } }
        writer.endArray()
        writer.key("logs_dropped")
        writer.value(logsDropped)
        writer.key("created_at")
        writer.plain(createdAt.append)
        writer.endObject()
        return writer.finish()
    }
}

extension JobJSON {
    /// - Parameter liveLogs: what the job had logged when the store was not asked yet.
    init(_ record: JobRecord, live: any LiveState, liveLogs: [JobLog]) {
        let status =
            if let outcome = record.outcome { JobStatus.ended(outcome) } else if live.isRunning(record.id) {
                JobStatus.running
            } else { JobStatus.pending }
        let stored = Set(record.logs.flatMap(\.lines))
        // What was committed meanwhile is in both.
        let fresh = liveLogs.map { log in
            var log = log
            log.lines.removeAll(where: stored.contains)
            return log
        }
        self.init(
            id: record.id, handler: record.batch.handler, queue: record.batch.options.queue, status: status,
            payload: record.payload, body: record.body, attempts: record.attempts,
            progress: status == .running ? live.progress(of: record.id) : nil,
            logs: record.logs + fresh, logsDropped: JobJSON.dropped(record.logs, live: liveLogs),
            createdAt: record.batch.createdAt)
    }

    /// How many lines were not kept. What a running job's log has lost so far is partly stored, nobody knows how much of it: the larger
    /// number counts, so that nothing is counted twice, and the number never shrinks from one answer to the next.
    private static func dropped(_ stored: [JobLog], live: [JobLog]) -> Int {
        var counts: [Int: Int] = [:]
        for log in stored { counts[log.attempt, default: 0] += log.dropped }
        for log in live { counts[log.attempt] = max(counts[log.attempt] ?? 0, log.droppedSoFar) }
        return counts.values.reduce(0, +)
    }
}

extension JobProgress {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writeFields(to: &writer)
        writer.endObject()
    }

    /// Inside an object that is begun.
    func writeFields(to writer: inout JSONWriter) {
        writer.key("fraction")
        writer.value(orNull: fraction)
        writer.key("message")
        writer.value(orNull: message)
    }
}

extension LogLine {
    fileprivate func write(to writer: inout JSONWriter, attempt: Int) {
        writer.beginObject()
        writeFields(to: &writer, attempt: attempt)
        writer.endObject()
    }

    /// Inside an object that is begun.
    func writeFields(to writer: inout JSONWriter, attempt: Int) {
        writer.key("time")
        writer.plain(time.append)
        writer.key("source")
        writer.value(source.rawValue)
        writer.key("text")
        writer.value(text)
        writer.key("attempt")
        writer.value(attempt)
    }
}

extension AttemptRecord {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("number")
        writer.value(number)
        writer.key("error")
        failure.write(to: &writer)
        writer.key("started_at")
        writer.plain(startedAt.append)
        writer.key("finished_at")
        writer.plain(finishedAt.append)
        writer.key("retry_at")
        if let retryAt { writer.plain(retryAt.append) } else { writer.null() }
        writer.endObject()
    }
}
