import HTTPServer
import JobModel
import JobStore

// /v1/batches/{batch}/events and /v1/events
extension API {
    /// Begins with how the batch stands, and ends with its end.
    func streamBatch(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            let id = try batchID(exchange.parameters[0])
            read(exchange) { [self] () throws(Problem) in
                let batch = try existingBatch(id)
                if batch.isFinished, API.hasSeenTheEnd(exchange.head.headers) {
                    exchange.respond(.of(204, type: nil, .none))
                } else {
                    try stream(id, to: exchange)
                }
            }
        } catch {
            exchange.fail(error)
        }
    }

    /// Of all batches, from now on.
    func streamEverything(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            try stream(nil, to: exchange)
        } catch {
            exchange.fail(error)
        }
    }

    private func stream(_ batch: BatchID?, to exchange: Exchange) throws(Problem) {
        guard let stream = events.open(batch) else { throw .tooManyStreams }
        exchange.respond(
            .of(200, type: "text/event-stream", headers: [("X-Accel-Buffering", "no")], .stream(stream)))
    }

    /// A client connects again when its stream has ended. If the last event that it got was the last one that there is, a 204 tells it
    /// to stop.
    private static func hasSeenTheEnd(_ headers: HTTPHeaders) -> Bool {
        headers.first("Last-Event-ID") == EventText.lastID
    }
}
