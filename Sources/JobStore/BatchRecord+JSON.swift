package import JSONBytes
package import JobModel

// The JSON form of a batch, as the API and the webhooks show it.

extension BatchRecord {
    /// - Parameter running: jobs that workers hold right now; only the scheduler knows.
    package func status(running: Int = 0) -> BatchStatus {
        switch phase {
        case .active: running > 0 || startedAt != nil || counts.finished > 0 ? .running : .queued
        case .cancelling: .cancelling
        case .completed: .completed
        case .cancelled: .cancelled
        }
    }

    /// Every field is always there, null where there is nothing to say. The callback's secret is never shown.
    package func write(to writer: inout JSONWriter, running: Int) {
        writer.beginObject()
        writer.key("id")
        writer.value(id.description)
        writer.key("handler")
        writer.value(handler)
        writer.key("status")
        writer.value(status(running: running).rawValue)
        writer.key("counts")
        writeCounts(to: &writer, running: running)
        options.write(to: &writer)
        writer.key("created_at")
        writer.value(createdAt.description)
        writer.key("started_at")
        writer.value(orNull: startedAt?.description)
        writer.key("finished_at")
        writer.value(orNull: finishedAt?.description)
        writer.endObject()
    }

    private func writeCounts(to writer: inout JSONWriter, running: Int) {
        writer.beginObject()
        writer.key("total")
        writer.value(total)
        writer.key("pending")
        writer.value(max(0, total - counts.finished - running))
        writer.key("running")
        writer.value(running)
        writer.key("succeeded")
        writer.value(counts.succeeded)
        writer.key("failed")
        writer.value(counts.failed)
        writer.key("cancelled")
        writer.value(counts.cancelled)
        writer.key("expired")
        writer.value(counts.expired)
        writer.endObject()
    }
}

extension BatchOptions {
    /// The fields of the options, inside the object of their batch, named as in the request.
    fileprivate func write(to writer: inout JSONWriter) {
        writer.key("priority")
        writer.value(priority)
        writer.key("chunk_size")
        switch chunkSize {
        case .automatic: writer.value("auto")
        case .python: writer.value("python")
        case .exactly(let count): writer.value(count)
        }
        writer.key("max_attempts")
        writer.value(retries.maximumAttempts)
        writer.key("backoff")
        writer.beginObject()
        writer.key("initial")
        writer.value(retries.backoff.initial)
        writer.key("factor")
        writer.value(retries.backoff.factor)
        writer.key("max")
        writer.value(retries.backoff.maximum)
        writer.key("jitter")
        writer.value(retries.backoff.jitter)
        writer.endObject()
        writer.key("timeout")
        if let timeout { writer.value(timeout) } else { writer.null() }
        writer.key("callback")
        if let callback { callback.write(to: &writer) } else { writer.null() }
        writer.key("metadata")
        if let metadata { writer.raw(bytes: metadata) } else { writer.null() }
    }
}

extension Callback {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("url")
        writer.value(url)
        writer.key("events")
        writer.beginArray()
        for event in events { writer.value(event) }
        writer.endArray()
        writer.endObject()
    }
}

extension JSONWriter {
    fileprivate mutating func value(orNull text: String?) {
        if let text { value(text) } else { null() }
    }
}
