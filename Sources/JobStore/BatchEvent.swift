import JSONBytes
package import JobModel

/// The webhook events of a batch.
package enum BatchEvent {
    /// Every job of the batch has its outcome.
    package static let completed = "batch.completed"

    /// The body of a Standard Webhook: `{"type", "timestamp", "data"}`, where `data` is the batch.
    package static func completedBody(for record: BatchRecord, at time: Timestamp) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: 1024)
        writer.beginObject()
        writer.key("type")
        writer.value(completed)
        writer.key("timestamp")
        writer.value(time.description)
        writer.key("data")
        record.write(to: &writer, running: 0)
        writer.endObject()
        return writer.finish().bytes
    }
}
