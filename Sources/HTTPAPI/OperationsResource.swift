import HTTPServer
import JSONBytes
import JobModel
import JobStore

// /v1/handlers, /healthz, /readyz and /openapi.yaml
extension API {
    func listHandlers(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            let handlers = configuration.handlers().sorted { $0.name < $1.name }
            var writer = JSONWriter(reservingCapacity: 64 * (1 + handlers.count))
            writer.beginObject()
            writer.key("handlers")
            writer.beginArray()
            for handler in handlers { handler.write(to: &writer) }
            writer.endArray()
            writer.endObject()
            exchange.respond(.json(200, writer.finish()))
        } catch {
            exchange.fail(error)
        }
    }

    /// The process lives and answers.
    func showHealth(_ exchange: Exchange) {
        var writer = JSONWriter(reservingCapacity: 64)
        writer.beginObject()
        writer.key("status")
        writer.value("ok")
        writer.key("version")
        writer.value(configuration.version)
        writer.endObject()
        exchange.respond(.json(200, writer.finish()))
    }

    /// The service accepts work. Handlers that cannot run are told, but stand in the way only if no other can.
    func showReadiness(_ exchange: Exchange) {
        let handlers = configuration.handlers()
        let unhealthy = handlers.filter { $0.unhealthy != nil }.sorted { $0.name < $1.name }
        var obstacles = isDraining ? [Problem.draining.detail] : configuration.readiness().obstacles
        if obstacles.isEmpty, !unhealthy.isEmpty,
            unhealthy.count(where: { $0.unhealthy?.acceptsJobs == false }) == handlers.count
        {
            obstacles = ["no handler can run: \(unhealthy[0].unhealthy?.reason ?? "")"]
        }
        guard obstacles.isEmpty else {
            exchange.fail(
                Problem(
                    503, type: "not-ready", title: "The service is not ready", detail: obstacles.joined(separator: " "),
                    headers: [API.retryAfter]))
            return
        }
        var writer = JSONWriter(reservingCapacity: 32)
        writer.beginObject()
        writer.key("status")
        writer.value("ready")
        if !unhealthy.isEmpty {
            writer.key("unhealthy_handlers")
            writer.beginArray()
            for handler in unhealthy {
                writer.beginObject()
                writer.key("name")
                writer.value(handler.name)
                writer.key("reason")
                writer.value(orNull: handler.unhealthy?.reason)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
        exchange.respond(.json(200, writer.finish()))
    }

    func showDescription(_ exchange: Exchange) {
        exchange.respond(.of(200, type: "application/yaml", .bytes(configuration.openapi)))
    }
}

extension HandlerDescription {
    /// Every field is always there, null where there is nothing to say.
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.value(name)
        writer.key("runtime")
        writer.value(runtime)
        writer.key("healthy")
        writer.value(unhealthy == nil)
        writer.key("reason")
        writer.value(orNull: unhealthy?.reason)
        writer.key("loaded_at")
        writer.value(orNull: loadedAt)
        writer.key("reload_problem")
        writer.value(orNull: reloadProblem)
        writer.key("concurrency")
        writer.value(orNull: profile.concurrency)
        writer.key("queue")
        writer.value(queue ?? QueueSettings.defaultName)
        writer.key("limits")
        profile.limits.write(to: &writer)
        writer.key("recycling")
        profile.recycling.write(to: &writer)
        writer.endObject()
    }
}

extension HandlerLimits {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("timeout")
        writer.value(orNull: timeout)
        writer.key("resident_bytes")
        writer.value(orNull: residentBytes.map(Int.init))
        writer.key("cpu_seconds")
        writer.value(orNull: cpuSeconds)
        writer.key("open_files")
        writer.value(orNull: openFiles)
        writer.key("output_bytes")
        writer.value(orNull: outputBytes)
        writer.endObject()
    }
}

extension RecyclingPolicy {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("jobs")
        writer.value(orNull: jobs)
        writer.key("resident_bytes")
        writer.value(orNull: residentBytes.map(Int.init))
        writer.key("age")
        writer.value(orNull: age)
        writer.endObject()
    }
}
