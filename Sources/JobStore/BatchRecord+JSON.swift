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
        writeFields(to: &writer, running: running)
        writer.endObject()
    }

    /// All fields, inside an object that is begun.
    func writeFields(to writer: inout JSONWriter, running: Int) {
        writeStatus(to: &writer, running: running)
        options.write(to: &writer)
        writer.key("shared_bytes")
        writer.value(orNull: sharedBytes)
        writer.key("created_at")
        writer.plain(createdAt.append)
        writer.key("started_at")
        writer.value(orNull: startedAt)
        writer.key("finished_at")
        writer.value(orNull: finishedAt)
    }

    /// The fields that change while the batch runs, with its name, inside an object that is begun.
    package func writeStatus(to writer: inout JSONWriter, running: Int) {
        writer.key("id")
        writer.plain(id.append)
        writer.key("handler")
        writer.value(handler)
        writer.key("queue")
        writer.value(options.queue)
        writer.key("status")
        writer.value(status(running: running).rawValue)
        writer.key("counts")
        writeCounts(to: &writer, running: running)
        writer.key("counters")
        writer.beginObject()
        for (name, sum) in counters.sorted(by: { $0.key < $1.key }) {
            writer.key(named: name)
            writer.value(Int(sum))
        }
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
        writer.value(orNull: timeout)
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
    package mutating func value(orNull time: Timestamp?) {
        if let time { plain(time.append) } else { null() }
    }
}
