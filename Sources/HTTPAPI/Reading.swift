import JSONBytes
import JobModel
import JobStore
import Logging
import Platform

// How resources answer from the store.
extension API {
    /// Runs `answer` on a task thread; what it throws becomes the answer.
    func read(_ exchange: Exchange, _ answer: @escaping @Sendable () throws(Problem) -> Void) {
        configuration.tasks.submit {
            do throws(Problem) {
                try answer()
            } catch {
                exchange.fail(error)
            }
        }
    }

    /// Asks the store; its errors become problems.
    func ask<Value>(
        _ question: (any APIStore) throws(StoreError) -> Value
    ) throws(Problem) -> Value {
        do throws(StoreError) {
            return try question(configuration.store)
        } catch {
            configuration.logger.error("a read of the store failed", metadata: ["error": "\(error)"])
            throw .store(error)
        }
    }

    /// The identifier in a path, or what is wrong with it.
    func batchID(_ text: String) throws(Problem) -> BatchID {
        guard let id = BatchID(text) else { throw .noBatch(text) }
        return id
    }

    /// A number as JSON writes it; `Double` itself would take more, such as `0x1p3` and `nan`.
    static func number(_ text: String) -> Double? {
        guard let json = try? JSON(validating: Array(text.utf8)) else { return nil }
        return json.value.double()
    }

    func existingBatch(_ id: BatchID) throws(Problem) -> BatchRecord {
        guard let record = try ask({ (store) throws(StoreError) in try store.batch(id) }) else {
            throw .noBatch("\(id)")
        }
        return record
    }

    /// - Parameter running: how many of its jobs run, where that is known; nil: as the scheduler says.
    func json(_ record: BatchRecord, running: Int? = nil) -> JSON {
        var writer = JSONWriter(reservingCapacity: 1024)
        if let running { record.write(to: &writer, running: running) } else { write(record, to: &writer) }
        return writer.finish()
    }

    func write(_ record: BatchRecord, to writer: inout JSONWriter) {
        record.write(to: &writer, running: record.isFinished ? 0 : configuration.live.running(in: record.id))
    }
}

extension Problem {
    static func noBatch(_ id: String) -> Problem { .notFound("There is no batch \(shortened(id)).") }
    static func noJob(_ id: String) -> Problem { .notFound("There is no job \(shortened(id)).") }
    static func noJob(_ index: String, of batch: String) -> Problem {
        .notFound("There is no job \(shortened(index)) in batch \(shortened(batch)).")
    }
}
