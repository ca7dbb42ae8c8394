import JSONBytes
package import JobModel

/// The webhook events of a batch.
package enum BatchEvent {
    /// Every job of the batch has its outcome.
    package static let completed = "batch.completed"

    /// How many failed jobs an event tells of; the results have all of them.
    package static let maximumFailures = 20
    /// Bytes of errors in an event; at least one is told.
    package static let maximumErrorBytes = 65_536

    /// The body of a Standard Webhook: `{"type", "timestamp", "data"}`, where `data` is the batch, and in it `failures`.
    /// - Parameter failures: the first failed jobs in ascending order, within the limits above.
    package static func completedBody(
        for record: BatchRecord, failures: [FailedJob], at time: Timestamp
    ) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: 1024)
        writer.beginObject()
        writer.key("type")
        writer.value(completed)
        writer.key("timestamp")
        writer.value(time.description)
        writer.key("data")
        writer.beginObject()
        record.writeFields(to: &writer, running: 0)
        writer.key("failures")
        writer.beginArray()
        for failure in failures {
            writer.beginObject()
            writer.key("id")
            writer.value(JobID(batch: record.id, index: failure.index).description)
            writer.key("index")
            writer.value(failure.index)
            writer.key("error")
            writer.raw(bytes: failure.error)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.endObject()
        return writer.finish().bytes
    }
}

/// A job that failed for good.
package struct FailedJob: Hashable, Sendable {
    package var index: Int
    /// The error object, JSON text.
    package var error: [UInt8]

    package init(index: Int, error: [UInt8]) {
        self.index = index
        self.error = error
    }
}
