import HTTPAPI
import JobModel
import Synchronization
import Testing

/// Handlers that cannot run now.
struct HealthTests {
    private let ill = Unhealthy(reason: "its preparation failed: no model", retryAfter: 2.2)

    @Test(arguments: [
        ("/v1/batches", "{\"handler\":\"square\",\"jobs\":[1]}"),
        ("/v1/jobs", "{\"handler\":\"square\",\"payload\":1}"),
        ("/v1/map/square", "[1]"),
    ])
    func getNoWork(target: String, body: String) throws {
        try withService { service in
            service.live.set(ill, of: "square")
            let reply = try service.post(target, body)
            #expect(reply.status == 503)
            #expect(reply.header("Retry-After") == "3")
            #expect(reply.object["type"] as? String == "/problems/handler-unavailable")
            #expect((reply.object["detail"] as? String)?.contains("its preparation failed: no model") == true)
            #expect(service.store.batches.isEmpty)
            let other = body.replacing("square", with: "echo")
            #expect(
                try service.post(target.replacing("square", with: "echo"), other, [("Prefer", "wait=0")]).status == 202)
            service.live.set(nil, of: "square")
            #expect(try service.post(target, body, [("Prefer", "wait=0")]).status == 202)
        }
    }

    @Test func areShownWithTheirLimits() throws {
        try withService({ configuration in
            let all = configuration.handlers
            configuration.handlers = {
                all().map { handler in
                    var handler = handler
                    if handler.name == "square" {
                        handler.loadedAt = Timestamp(microseconds: 1_700_000_000_000_000)
                        handler.reloadProblem = "no such file"
                    }
                    return handler
                }
            }
        }) { service in
            service.live.set(ill, of: "echo")
            let text = try service.get("/v1/handlers").text
            #expect(
                text
                    == "{\"handlers\":[{\"name\":\"echo\",\"runtime\":\"python\",\"healthy\":false,"
                    + "\"reason\":\"its preparation failed: no model\",\"loaded_at\":null,\"reload_problem\":null,"
                    + "\"concurrency\":null,\"queue\":\"default\","
                    + "\"limits\":{\"timeout\":null,\"resident_bytes\":null,\"cpu_seconds\":null,\"open_files\":null,"
                    + "\"output_bytes\":null},\"recycling\":{\"jobs\":1000,\"resident_bytes\":null,\"age\":null}},"
                    + "{\"name\":\"square\",\"runtime\":\"swift\",\"healthy\":true,\"reason\":null,"
                    + "\"loaded_at\":\"2023-11-14T22:13:20.000Z\",\"reload_problem\":\"no such file\",\"concurrency\":3,\"queue\":\"default\","
                    + "\"limits\":{\"timeout\":2.5,\"resident_bytes\":1073741824,\"cpu_seconds\":null,"
                    + "\"open_files\":null,\"output_bytes\":null},"
                    + "\"recycling\":{\"jobs\":null,\"resident_bytes\":null,\"age\":null}}]}")
        }
    }

    @Test func mayComeAndGo() throws {
        let names = Mutex(["square"])
        try withService({ configuration in
            configuration.handlers = {
                names.withLock { $0.map { HandlerDescription(HandlerProfile(name: $0), runtime: "swift") } }
            }
        }) { service in
            let job = #"{"handler": "other", "payload": 1}"#
            #expect(try service.post("/v1/jobs", job).status == 422)
            #expect(try service.post("/v1/map/other?wait=0", "[1]").status == 404)
            names.withLock { $0 = ["other"] }
            service.api.readHandlers()
            #expect(try service.post("/v1/jobs", job).status == 202)
            let refused = try service.post("/v1/map/square?wait=0", "[1]")
            #expect(refused.status == 404)
            #expect(refused.text.contains("[\"other\"]"), "who is there is told")
        }
    }

    @Test func areToldByReadinessAndDoNotFailItAlone() throws {
        try withService { service in
            service.live.set(ill, of: "echo")
            let reply = try service.get("/readyz")
            #expect(reply.status == 200)
            #expect(
                reply.text
                    == "{\"status\":\"ready\",\"unhealthy_handlers\":[{\"name\":\"echo\","
                    + "\"reason\":\"its preparation failed: no model\"}]}")
        }
        try withService({ configuration in
            let all = configuration.handlers
            configuration.handlers = { all().filter { $0.name == "echo" } }
        }) { service in
            service.live.set(ill, of: "echo")
            let reply = try service.get("/readyz")
            #expect(reply.status == 503)
        }
    }
}
