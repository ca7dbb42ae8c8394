import HTTPAPI
import Testing

struct OperationsTests {
    @Test func theServiceTellsAboutItself() throws {
        try withService { service in
            #expect(try service.get("/healthz").text == "{\"status\":\"ok\",\"version\":\"1.2.3\"}")
            #expect(try service.get("/readyz").text == "{\"status\":\"ready\"}")
            let description = try service.get("/openapi.yaml")
            #expect(description.text == "openapi: 3.1.0\n")
            #expect(description.header("Content-Type") == "application/yaml")
        }
    }

    @Test func whatStandsInTheWayIsSaid() throws {
        try withService({ $0.readiness = { Readiness(obstacles: ["The disk is full.", "No worker."]) } }) { service in
            let reply = try service.get("/readyz")
            #expect(reply.status == 503)
            #expect(reply.header("Retry-After") == "1")
            #expect(reply.object["detail"] as? String == "The disk is full. No worker.")
        }
    }

    @Test func whoWatchesOverTheServiceIsAnsweredWhileItDrains() throws {
        try withService { service in
            let id = try service.submitted()
            service.api.drain()
            #expect(try service.get("/healthz").status == 200)
            let ready = try service.get("/readyz")
            #expect(ready.status == 503)
            #expect(ready.object["detail"] as? String == "The service is shutting down.")
            for (target, body) in [
                ("/v1/jobs", "{\"handler\":\"square\",\"payload\":1}"),
                ("/v1/batches", "{\"handler\":\"square\",\"jobs\":[1]}"), ("/v1/map/square", "[1]"),
            ] {
                let reply = try service.post(target, body)
                #expect(reply.status == 503, Comment(rawValue: target))
                #expect(reply.header("Retry-After") == "5")
            }
            #expect(try service.get("/v1/batches/\(id)").status == 200)
            #expect(try service.post("/v1/batches/\(id)/cancel", "").status == 202)
        }
    }

    @Test func otherMethodsAreRefusedWithThoseThatThereAre() throws {
        try withService { service in
            for (method, target, allow) in [
                ("DELETE", "/v1/batches", "POST, GET, HEAD"), ("POST", "/healthz", "GET, HEAD"),
                ("GET", "/v1/map/square", "POST"), ("get", "/v1/batches", "POST, GET, HEAD"),
            ] {
                let reply = try service.get(target, method: method)
                #expect(reply.status == 405, Comment(rawValue: "\(method) \(target)"))
                #expect(reply.header("Allow") == allow)
            }
        }
    }

    @Test func headIsGetWithoutABody() throws {
        try withService { service in
            let id = try service.submitted()
            for target in ["/healthz", "/v1/batches/\(id)", "/v1/batches/\(id)/results"] {
                let head = try service.get(target, method: "HEAD")
                let get = try service.get(target)
                #expect(head.status == 200)
                #expect(head.body.isEmpty)
                #expect(head.header("Content-Length") == get.header("Content-Length"))
            }
        }
    }

    @Test func theTokenOpensTheService() throws {
        try withService({ $0.token = "s3cret" }) { service in
            let body = "{\"handler\":\"square\",\"jobs\":[1]}"
            for headers in [
                [], [("Authorization", "Bearer s3cre")], [("Authorization", "Bearer s3crets")],
                [("Authorization", "Bearer ")], [("Authorization", "Basic s3cret")], [("Authorization", "s3cret")],
                [("Authorization", "Bearer s3cret"), ("Authorization", "Bearer x")],
            ] {
                let reply = try service.post("/v1/batches", body, headers)
                #expect(reply.status == 401, "\(headers)")
                #expect(reply.header("WWW-Authenticate") == "Bearer")
                #expect(try service.get("/nowhere", headers).status == 401)
            }
            #expect(service.store.batches.isEmpty)
            #expect(try service.post("/v1/batches", body, [("authorization", "bearer s3cret")]).status == 202)
            for target in ["/healthz", "/readyz", "/openapi.yaml"] { #expect(try service.get(target).status == 200) }
        }
    }
}
