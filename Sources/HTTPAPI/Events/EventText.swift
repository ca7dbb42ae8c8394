import JSONBytes
import JobModel
import JobStore

/// Events in the form of `text/event-stream`.
enum EventText {
    /// How soon a client connects again when its stream broke. Milliseconds.
    static let hello = Array("retry: 2000\n\n".utf8)
    /// Of the last event of a batch.
    static let lastID = "end"
    static let heartbeat = Array(": still here\n\n".utf8)

    static func leftOut(_ count: Int) -> [UInt8] { Array(": \(count) events were left out\n\n".utf8) }

    /// A batch's status and counts.
    static func batch(_ record: BatchRecord, running: Int, id: UInt64) -> [UInt8] {
        event("batch", id: "\(id)") { writer in
            writer.beginObject()
            record.writeStatus(to: &writer, running: running)
            writer.endObject()
        }
    }

    /// The last event of a batch, with the whole of it.
    static func completed(_ record: BatchRecord) -> [UInt8] {
        event(BatchEvent.completed, id: lastID) { record.write(to: &$0, running: 0) }
    }

    static func progress(_ progress: JobProgress, of job: JobID, id: UInt64) -> [UInt8] {
        event("job.progress", id: "\(id)") { writer in
            writer.beginObject()
            write(job, to: &writer)
            progress.writeFields(to: &writer)
            writer.endObject()
        }
    }

    static func log(_ line: LogLine, of job: JobID, attempt: Int, id: UInt64) -> [UInt8] {
        event("job.log", id: "\(id)") { writer in
            writer.beginObject()
            write(job, to: &writer)
            line.writeFields(to: &writer, attempt: attempt)
            writer.endObject()
        }
    }

    /// - Parameter count: lines that were not kept.
    static func dropped(_ count: Int, of job: JobID, attempt: Int, id: UInt64) -> [UInt8] {
        event("job.logs_dropped", id: "\(id)") { writer in
            writer.beginObject()
            write(job, to: &writer)
            writer.key("attempt")
            writer.value(attempt)
            writer.key("count")
            writer.value(count)
            writer.endObject()
        }
    }

    private static func write(_ job: JobID, to writer: inout JSONWriter) {
        writer.key("job")
        writer.value(job.description)
        writer.key("batch")
        writer.value(job.batch.description)
        writer.key("index")
        writer.value(job.index)
    }

    /// Compact JSON has no line breaks, so it is one `data` field.
    private static func event(_ name: String, id: String, _ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: 512)
        write(&writer)
        return Array("id: \(id)\nevent: \(name)\ndata: ".utf8) + writer.finish().bytes + Array("\n\n".utf8)
    }
}
