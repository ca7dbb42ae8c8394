import HTTPServer
import JSONBytes

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
            for handler in handlers {
                writer.beginObject()
                writer.key("name")
                writer.value(handler.name)
                writer.key("runtime")
                writer.value(handler.runtime)
                writer.key("healthy")
                writer.value(handler.healthy)
                writer.endObject()
            }
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

    /// The service accepts work.
    func showReadiness(_ exchange: Exchange) {
        let obstacles = configuration.readiness().obstacles
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
        writer.endObject()
        exchange.respond(.json(200, writer.finish()))
    }

    func showDescription(_ exchange: Exchange) {
        exchange.respond(.of(200, type: "application/yaml", .bytes(configuration.openapi)))
    }
}
