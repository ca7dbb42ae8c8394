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
    var status: JobStatus
    /// JSON text.
    var payload: [UInt8]
    /// The result or the error, JSON text.
    var body: [UInt8]?
    /// Those that failed.
    var attempts: [AttemptRecord] = []
    var createdAt: Timestamp

    var json: JSON {
        var writer = JSONWriter(reservingCapacity: 320 + payload.count + (body?.count ?? 0))
        writer.beginObject()
        writer.key("id")
        writer.value(id.description)
        writer.key("batch")
        writer.value(id.batch.description)
        writer.key("index")
        writer.value(id.index)
        writer.key("handler")
        writer.value(handler)
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
        writer.key("created_at")
        writer.value(createdAt.description)
        writer.endObject()
        return writer.finish()
    }
}

extension JobJSON {
    init(_ record: JobRecord, live: any LiveState) {
        let status =
            if let outcome = record.outcome { JobStatus.ended(outcome) } else if live.isRunning(record.id) {
                JobStatus.running
            } else { JobStatus.pending }
        self.init(
            id: record.id, handler: record.batch.handler, status: status, payload: record.payload, body: record.body,
            attempts: record.attempts, createdAt: record.batch.createdAt)
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
        writer.value(startedAt.description)
        writer.key("finished_at")
        writer.value(finishedAt.description)
        writer.key("retry_at")
        if let retryAt { writer.value(retryAt.description) } else { writer.null() }
        writer.endObject()
    }
}
