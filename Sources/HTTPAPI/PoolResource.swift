import HTTPServer
import JSONBytes
import JobModel
import Logging

// /v1/pool
extension API {
    /// More than any machine runs at once.
    static let poolSizes = 1...1024

    func showPool(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            let pool = configuration.pool
            // Resident sizes are asked of the kernel.
            read(exchange) { () throws(Problem) in exchange.respond(.json(200, pool.snapshot().json)) }
        } catch {
            exchange.fail(error)
        }
    }

    /// Answers at once: workers too many end when their chunk has.
    func resizePool(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            let size = try submissions.poolSize(exchange.body)
            let pool = configuration.pool
            configuration.logger.notice("the pool gets another size", metadata: ["size": "\(size)"])
            read(exchange) { () throws(Problem) in
                pool.resize(to: size)
                exchange.respond(.json(200, pool.snapshot().json))
            }
        } catch {
            exchange.fail(error)
        }
    }
}

extension SubmissionReader {
    /// `{"size": n}`.
    fileprivate func poolSize(_ body: [UInt8]) throws(Problem) -> Int {
        var errors = FieldErrors()
        var size: Int?
        var fields = Fields(of: try json(body).value, at: "", &errors)
        while let (name, value) = fields.next(&errors) {
            if name == "size" {
                size = errors.check(
                    fields.place(of: name), try OptionRules.integer(value.integer(), in: API.poolSizes))
            } else {
                fields.refuse(name, &errors)
            }
        }
        fields.require(["size"], &errors)
        guard errors.isEmpty, let size else { throw .invalid(errors) }
        return size
    }
}

extension PoolSnapshot {
    fileprivate var json: JSON {
        var writer = JSONWriter(reservingCapacity: 256 * (1 + workers.count + runtimes.count))
        writer.beginObject()
        writer.key("size")
        writer.value(size)
        writer.key("workers")
        writer.beginArray()
        for worker in workers { worker.write(to: &writer) }
        writer.endArray()
        writer.key("runtimes")
        writer.beginArray()
        for runtime in runtimes { runtime.write(to: &writer) }
        writer.endArray()
        writer.endObject()
        return writer.finish()
    }
}

extension PoolSnapshot.Worker {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("pid")
        writer.value(orNull: processID.map(Int.init))
        writer.key("runtime")
        writer.value(runtime)
        writer.key("state")
        writer.value(state.rawValue)
        writer.key("handler")
        writer.value(orNull: handler)
        writer.key("job")
        writer.value(orNull: job?.description)
        writer.key("since")
        writer.value(since)
        writer.key("resident_bytes")
        writer.value(orNull: residentBytes.map(Int.init))
        writer.key("jobs")
        writer.value(jobs)
        writer.key("age")
        writer.value(age)
        writer.endObject()
    }
}

extension PoolSnapshot.Runtime {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.value(name)
        writer.key("state")
        writer.value(state.rawValue)
        writer.key("pid")
        writer.value(orNull: processID.map(Int.init))
        writer.key("handlers")
        writer.beginArray()
        for handler in handlers { writer.value(handler) }
        writer.endArray()
        writer.key("reason")
        writer.value(orNull: reason)
        writer.endObject()
    }
}
